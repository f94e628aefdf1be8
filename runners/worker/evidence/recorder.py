"""Evidence in a training process: looks at the model at each save, writes what it saw beside the weights.

languages = ProbeLanguages(source="kor", target="jpn", name="ja")
text = ProbeText(source=korean, reference=japanese)
recorder = EvidenceRecorder(tokenizer, text, languages, run="exp10-3fa91c")
recorder.keep(model, step, checkpoint_folder, then=tell)  # the training goes on
recorder.finish()  # before anything may delete that folder: the next save, the end of the training
"""

import copy
import json
import os
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from runners.worker.evidence import digests
from runners.worker.evidence.eval_context import unwrap
from runners.worker.evidence.probe_inputs import (
    GREEDY,
    LINES,
    ProbeLanguages,
    ProbeText,
    Questions,
    draw,
    encode_labels,
    encode_sources,
    family_of,
    probe_batch,
)
from runners.worker.evidence.snapshot import CaptureOptions, collect, complete, now
from runners.worker.generation.shards import write_atomically
from runners.worker.models.translator import longest_source

VERSION = 1
LOW_PRIORITY = 10  # as `nice` has it
FOLDER, EVIDENCE, PROBE = "ledger", "evidence.json", "probe.safetensors"
SECRET = ("_token", "_key", "password", "secret")


@dataclass(frozen=True, slots=True)
class CapturedEvidence:
    """One look at a model: the snapshot, what was asked for it, and the tensors of probe batch and answer."""

    snapshot: Mapping[str, Any]
    recipe: Mapping[str, Any]
    tensors: Mapping[str, Any]
    seconds: float


class EvidenceRecorder:
    """Asks a model the same questions at every save.

    `text` is drawn from: 32 lines, the same ones for the same text and `seed`. `run` and `environment` (a
    digest) tie the checkpoint to its run, `training` holds its TrainingArguments. `settings` replaces the
    greedy generation parameters. The tokenizer is copied; without one `text` has to hold token ids.
    `on_failure` is called where a part cannot be seen, with the error in `sys.exc_info()`.
    """

    def __init__(
        self,
        tokenizer: Any,
        text: ProbeText,
        languages: ProbeLanguages | None = None,
        *,
        run: str | None = None,
        environment: str | None = None,
        training: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] = GREEDY,
        algorithm: str = digests.DEFAULT,
        lines: int = LINES,
        seed: int = 0,
        on_failure: Callable[[], object] = traceback.print_exc,
    ) -> None:
        self._tokenizer = copy.deepcopy(tokenizer)
        if not text.rows and (tokenizer is None or not text.source):
            raise ValueError("a witness needs a tokenizer and lines, or lines as token ids")
        self._text = draw(text, lines, seed)
        self._languages = languages or ProbeLanguages()
        self._settings = dict(settings)
        self._algorithm = algorithm
        self._on_failure = on_failure
        self._origin = {"run": run, "environment": environment}
        self._training = {key: value for key, value in (training or {}).items() if not _is_secret(key)}
        self._questions: Questions | None = None
        self._background = ThreadPoolExecutor(1, thread_name_prefix="witness", initializer=_step_back)
        # Started now: a thread that memory does not suffice for later would be waited for without end.
        self._background.submit(int).result()
        self._pending: Future[None] | None = None

    def observe(self, model: Any, step: int) -> CapturedEvidence:
        """Look at the model now; it is afterwards as it was. Never raises for what it cannot see."""
        return self._observe(unwrap(model), step)

    def write(self, checkpoint: Path | str, seen: CapturedEvidence) -> float:
        """Write it into the checkpoint's folder; return the seconds of looking and writing together."""
        return seen.seconds + save_evidence(Path(checkpoint), seen)

    def keep(self, model: Any, step: int, checkpoint: Path | str, then: Callable[[float], None]) -> float:
        """Observe and write while the training goes on; returns the seconds that it was held up.

        What must be of this very moment is taken at once: logits, settings, and a copy of the model in
        memory. With that a thread of low priority digests and translates. When all is written, `then`
        is called there with the same seconds. Of a model that cannot be copied, or for want of memory, all
        is taken and written at once. An error of the save before it is raised here, by `check` or `finish`.
        """
        began = time.monotonic()
        self.finish()
        model = unwrap(model)
        copied = self._copy(model) if _has_room(model) else None
        if copied is None:
            self.write(checkpoint, self._observe(model, step))
            held = time.monotonic() - began
            then(held)
            return held
        seen = self._observe(model, step, in_haste=True)
        held = time.monotonic() - began
        self._pending = self._background.submit(self._complete, copied, seen, Path(checkpoint), then, held)
        return held

    def check(self) -> None:
        """Raise what went wrong with the last save's evidence, if that is known by now. Never waits."""
        if self._pending is not None and self._pending.done():
            self.finish()

    def finish(self) -> None:
        """Wait until the last save's evidence is written and told. Raises what went wrong with it."""
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.result()

    def _observe(self, model: Any, step: int, *, in_haste: bool = False) -> CapturedEvidence:
        began = time.monotonic()
        questions = self._ask(model)
        origin = {**self._origin, "step": step, "written": now()}
        look = CaptureOptions(
            questions,
            self._algorithm,
            origin=origin,
            training=self._training,
            in_haste=in_haste,
            on_failure=self._on_failure,
        )
        snapshot, logits = collect(model, self._tokenizer, look)
        answers = {} if logits is None else {"logits": logits}
        recipe = _recipe(model, questions, self._tokenizer)
        return CapturedEvidence(snapshot, recipe, {**questions.probe, **answers}, time.monotonic() - began)

    def _complete(
        self,
        copied: Any,
        seen: CapturedEvidence,
        checkpoint: Path,
        then: Callable[[float], None],
        held: float,
    ) -> None:
        """The rest of a look, in the background: one thread, and the training goes first."""
        look = CaptureOptions(
            self._ask(copied), self._algorithm, sample_threads=1, on_failure=self._on_failure
        )
        snapshot = complete(seen.snapshot, copied, self._tokenizer, look)
        recipe = {**seen.recipe, "sample_threads": 1}
        save_evidence(checkpoint, replace(seen, snapshot=snapshot, recipe=recipe))
        then(held)

    def _copy(self, model: Any) -> Any:
        """A copy to evaluate; None where memory does not suffice, or somebody hung on it what has no copy."""
        try:
            copied = copy.deepcopy(model)
        except Exception:
            self._on_failure()
            return None
        for bound in ("forward", "_original_forward"):
            copied.__dict__.pop(bound, None)  # accelerate's autocast
        return copied.eval()

    def _ask(self, model: Any) -> Questions:
        """The questions, made once."""
        if self._questions is None:
            text, languages, tokenizer = self._text, self._languages, self._tokenizer
            limit = longest_source(model, tokenizer) if tokenizer is not None else None
            rows = encode_sources(text, languages, family_of(model, tokenizer), tokenizer, limit)
            labels = encode_labels(text, languages, tokenizer, rows)
            probe = probe_batch(rows, labels, model.config.pad_token_id, model.config.vocab_size)
            self._questions = Questions(text, languages, probe, self._settings)
        return self._questions


def save_evidence(checkpoint: Path, seen: CapturedEvidence) -> float:
    """Write `ledger/probe.safetensors`, then `ledger/evidence.json`, each whole or not at all.

    Returns the seconds that it took. Raises OSError when there is no space: the checkpoint is then one
    without evidence.
    """
    began = time.monotonic()
    folder = checkpoint / FOLDER
    folder.mkdir(exist_ok=True)
    _save_tensors(folder / PROBE, seen.tensors)
    evidence = {"v": VERSION, "time": now(), "snapshot": seen.snapshot, "recipe": seen.recipe}
    write_atomically(folder / EVIDENCE, json.dumps(evidence, ensure_ascii=False).encode())
    return time.monotonic() - began


def _save_tensors(path: Path, tensors: Mapping[str, Any]) -> None:
    from safetensors.torch import save_file

    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _has_room(model: Any) -> bool:
    """Whether a copy takes nothing from the training.

    torch keeps the memory of a GPU that it once had, and by its first save a training has had the most that
    it needs: what is free beside that is to spare. A copy and its sample take twice the weights at most, as a
    rule.
    """
    import torch

    if model.device.type != "cuda":
        return bool(model.device.type == "cpu")
    free, _ = torch.cuda.mem_get_info(model.device)
    return bool(free > 2 * sum(weights.nbytes for weights in model.parameters()))


def _step_back() -> None:
    """Low priority for this thread alone, which Linux has."""
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOW_PRIORITY)


def _recipe(model: Any, questions: Questions, tokenizer: Any) -> dict[str, Any]:
    """What a fresh process has to know to ask the same in the same way."""
    import torch

    family = family_of(model, tokenizer)
    return {
        "family": family.name if family else None,
        "source_code": questions.languages.source,
        "target_code": questions.languages.target,
        "rows": [list(row) for row in questions.text.rows],
        "threads": torch.get_num_threads(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "attention": getattr(model.config, "_attn_implementation", None),
    }


def _is_secret(key: str) -> bool:
    return key.lower().endswith(SECRET)
