"""Records evidence in a training process: captures the model at each checkpoint, stores it with the weights.

languages = ProbeLanguages(source="kor", target="jpn", name="ja")
text = ProbeText(source=korean, reference=japanese)
recorder = EvidenceRecorder(tokenizer, text, languages, run="exp10-3fa91c")
recorder.keep(model, step, checkpoint_folder, then=report)  # the training goes on
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

from runners.worker.evidence.eval_context import unwrap
from runners.worker.evidence.probe_inputs import (
    GREEDY,
    LINES,
    ProbeInputs,
    ProbeLanguages,
    ProbeText,
    draw,
    encode_labels,
    encode_sources,
    family_of,
    probe_batch,
    some_ids,
    vocabulary_size,
)
from runners.worker.evidence.snapshot import CaptureOptions, capture, complete, now, part
from runners.worker.evidence.trace import TrainingTrace
from runners.worker.files import sync, write_atomically
from runners.worker.layout import EVIDENCE, FOLDER, PROBE
from runners.worker.models.translator import longest_source

VERSION = 1
LOW_PRIORITY = 10  # as in nice(1)
SECRET = ("_token", "_key", "password", "secret")


@dataclass(frozen=True, slots=True)
class CapturedEvidence:
    """The snapshot of a model, how to repeat it, the tensors of probe and logits, and the seconds taken."""

    snapshot: Mapping[str, Any]
    recipe: Mapping[str, Any]
    tensors: Mapping[str, Any]
    seconds: float


class EvidenceRecorder:
    """Captures a model with the same inputs at every checkpoint.

    32 lines are drawn from `text`, the same ones for the same text and `seed`. `run` and `environment` (a
    digest) tie the checkpoint to its run, `training` holds its TrainingArguments. `settings` replaces the
    greedy generation parameters. The tokenizer is copied; without one, no sample is translated, and
    the probe batch is made of the token ids in `text`, or of the first ids of the vocabulary.
    `trace` follows the parameters from the start of the training on.
    `on_failure` is called if a part cannot be captured, with the error in `sys.exc_info()`.
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
        lines: int = LINES,
        seed: int = 0,
        trace: TrainingTrace | None = None,
        on_failure: Callable[[], object] = traceback.print_exc,
    ) -> None:
        self._tokenizer = copy.deepcopy(tokenizer)
        self._text = draw(text, lines, seed)
        self._languages = languages or ProbeLanguages()
        self._settings = dict(settings)
        self.trace = trace or TrainingTrace()
        self._on_failure = on_failure
        self._origin = {"run": run, "environment": environment}
        self._training = {key: value for key, value in (training or {}).items() if not _is_secret(key)}
        self._inputs: ProbeInputs | None = None
        self._background = ThreadPoolExecutor(1, thread_name_prefix="evidence", initializer=_lower_priority)
        # Started now: if the thread could not start later for lack of memory, it would be waited for forever.
        self._background.submit(int).result()
        self._pending: Future[None] | None = None

    def observe(self, model: Any, step: int) -> CapturedEvidence:
        """Capture the model as it is now, without changing it. Parts that cannot be captured do not raise."""
        return self._observe(unwrap(model), step)

    def write(self, checkpoint: Path | str, captured: CapturedEvidence) -> float:
        """Write it into the checkpoint's folder; return the seconds of capturing and writing together."""
        return captured.seconds + save_evidence(Path(checkpoint), captured)

    def keep(self, model: Any, step: int, checkpoint: Path | str, then: Callable[[float], None]) -> float:
        """Capture and write in the background; returns the seconds that training was blocked.

        Logits, settings, and a copy of the model in memory are taken at once. A thread of low priority then
        digests and translates with the copy, and calls `then` with the same seconds when all is written. If
        the model cannot be copied, or memory is short, everything is done at once. An error with the previous
        checkpoint is raised here, by `check` or by `finish`.
        """
        began = time.monotonic()
        self.finish()
        model = unwrap(model)
        copied = self._copy(model) if _has_room(model) else None
        if copied is None:
            self.write(checkpoint, self._observe(model, step))
            waited = time.monotonic() - began
            then(waited)
            return waited
        captured = self._observe(model, step, quick=True)
        waited = time.monotonic() - began
        self._pending = self._background.submit(
            self._complete, copied, captured, Path(checkpoint), lambda: then(waited)
        )
        return waited

    def check(self) -> None:
        """Raise if writing the last checkpoint's evidence has already failed. Does not block."""
        if self._pending is not None and self._pending.done():
            self.finish()

    def finish(self) -> None:
        """Wait until the last checkpoint's evidence is written and reported. Raises the error with it."""
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.result()

    def _observe(self, model: Any, step: int, *, quick: bool = False) -> CapturedEvidence:
        began = time.monotonic()
        inputs = self._probe_inputs(model)
        options = CaptureOptions(
            inputs,
            origin={**self._origin, "step": step, "written": now()},
            training=self._training,
            quick=quick,
            on_failure=self._on_failure,
        )
        snapshot, logits = capture(model, self._tokenizer, options)
        snapshot["trace"] = part(
            snapshot["unseen"], self._on_failure, "trace", lambda: self.trace.save(model, step)
        )
        outputs = {} if logits is None else {"logits": logits}
        recipe = _recipe(model, inputs, self._tokenizer)
        return CapturedEvidence(snapshot, recipe, {**inputs.probe, **outputs}, time.monotonic() - began)

    def _complete(
        self, copied: Any, captured: CapturedEvidence, checkpoint: Path, then: Callable[[], None]
    ) -> None:
        """Capture the rest in the background: with one thread, at a lower priority than the training."""
        inputs = self._probe_inputs(copied)
        options = CaptureOptions(inputs, sample_threads=1, on_failure=self._on_failure)
        snapshot = complete(captured.snapshot, copied, self._tokenizer, options)
        recipe = {**captured.recipe, "sample_threads": 1}
        save_evidence(checkpoint, replace(captured, snapshot=snapshot, recipe=recipe))
        then()

    def _copy(self, model: Any) -> Any:
        """A copy to evaluate; None if memory is short, or an attribute of the model cannot be copied."""
        try:
            copied = copy.deepcopy(model)
        except Exception:
            self._on_failure()
            return None
        for bound in ("forward", "_original_forward"):
            copied.__dict__.pop(bound, None)  # accelerate's autocast
        return copied.eval()

    def _probe_inputs(self, model: Any) -> ProbeInputs:
        """The inputs, made for the first checkpoint."""
        if self._inputs is None:
            text, languages, tokenizer = self._text, self._languages, self._tokenizer
            rows = labels = some_ids(model)
            if text.rows or (tokenizer is not None and text.source):
                limit = longest_source(model, tokenizer) if tokenizer is not None else None
                rows = encode_sources(text, languages, family_of(model, tokenizer), tokenizer, limit)
                labels = encode_labels(text, languages, tokenizer, rows)
            pad = model.config.get_text_config(decoder=True).pad_token_id
            probe = probe_batch(rows, labels, pad or 0, vocabulary_size(model))
            self._inputs = ProbeInputs(text, languages, probe, self._settings)
        return self._inputs


def save_evidence(checkpoint: Path, captured: CapturedEvidence) -> float:
    """Write `ledger/probe.safetensors`, then `ledger/evidence.json`, each complete or not at all.

    Returns the seconds that it took. Raises OSError when there is no space: the checkpoint then has no
    evidence.
    """
    began = time.monotonic()
    folder = checkpoint / FOLDER
    folder.mkdir(exist_ok=True)
    _save_tensors(folder / PROBE, captured.tensors)
    evidence = {"v": VERSION, "time": now(), "snapshot": captured.snapshot, "recipe": captured.recipe}
    write_atomically(folder / EVIDENCE, json.dumps(evidence, ensure_ascii=False).encode())
    return time.monotonic() - began


def _save_tensors(path: Path, tensors: Mapping[str, Any]) -> None:
    from safetensors.torch import save_file

    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, temporary)
        sync(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _has_room(model: Any) -> bool:
    """Whether there is enough spare memory for a copy of the model.

    torch does not return memory to a GPU, and by its first checkpoint a training has reached its peak: what
    is still free is spare. A copy and its sample usually take at most twice the weights.
    """
    import torch

    if model.device.type != "cuda":
        return bool(model.device.type == "cpu")
    free, _ = torch.cuda.mem_get_info(model.device)
    return bool(free > 2 * sum(weights.nbytes for weights in model.parameters()))


def _lower_priority() -> None:
    """Lower the priority of this thread alone (only Linux has priorities by thread)."""
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOW_PRIORITY)


def _recipe(model: Any, inputs: ProbeInputs, tokenizer: Any) -> dict[str, Any]:
    """What a fresh process needs to repeat the measurements."""
    import torch

    family = family_of(model, tokenizer)
    return {
        "family": family.name if family else None,
        "source_code": inputs.languages.source,
        "target_code": inputs.languages.target,
        "rows": [list(row) for row in inputs.text.rows],
        "threads": torch.get_num_threads(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "attention": getattr(model.config, "_attn_implementation", None),
    }


def _is_secret(key: str) -> bool:
    return key.lower().endswith(SECRET)
