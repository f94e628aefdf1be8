"""The `probe_checkpoint` job: reload a checkpoint as anybody would, and look at what came of it.

Asks what was asked at the save, where evidence was kept. What would have to be trusted (a pickle with more
than tensors in it, code of the checkpoint's own, a link out of its folder) is refused before it is opened.
"""

import json
import pickle
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runners.worker.error_messages import explain, is_lasting, is_out_of_memory
from runners.worker.errors import JobError
from runners.worker.evidence import digests, lightning_checkpoint
from runners.worker.evidence.checkpoint_files import WHOLE, inspect_folder, stored_dtype, weight_files
from runners.worker.evidence.eval_context import eval_context
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
from runners.worker.evidence.snapshot import CaptureOptions, collect, sample, versions
from runners.worker.imported_packages import imported_distributions
from runners.worker.models import families, loading
from runners.worker.models.families import FAMILIES, Family
from runners.worker.models.library_defaults import training_here
from runners.worker.models.translator import longest_source
from runners.worker.protocol import Events

Json = dict[str, Any]

EVIDENCE, PROBE = "ledger/evidence.json", "ledger/probe.safetensors"
PARTS = ("weights", "forward", "sample", "tokenizer", "effective")
TOKENIZER_FILES = ("tokenizer_config.json", "tokenizer.json", "vocab.json", "*.spm", "*.model", "vocab.txt")
A_TRAINERS = "per_device_train_batch_size"  # the arguments of a Hugging Face Trainer have it
FLOATS = ("float64", "float32", "float16", "bfloat16")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A reloaded checkpoint; `keys` is what from_pretrained reported."""

    model: Any
    tokenizer: Any
    keys: Mapping[str, list[str]]


class NotLoadableError(Exception):
    """The folder cannot be loaded by this environment's transformers: which file is to blame, and why."""

    def __init__(self, file: str, why: str, *, refused: bool = False) -> None:
        super().__init__(why)
        self.file, self.why, self.refused = file, why, refused


def get_ready(job: Mapping[str, Any], events: Events) -> Json:  # noqa: ARG001 - what a job takes
    """Import what a reload needs, while the parent has other things to do."""
    from transformers import PreTrainedModel

    return {"ready": PreTrainedModel.__name__}


def probe_checkpoint(job: Mapping[str, Any], events: Events) -> Json:
    """Reload the folder `checkpoint` on `device`, and ask what the evidence in it says was asked at its save.

    Where there is none, `source` and `reference` (lines), `source_code`, `target_code` and `language` say
    what to ask. `family` names one where the folder does not tell. `full`: all lines, with the checkpoint's
    own generation settings. A folder that cannot be loaded is a result, too.
    Result: `files`, `snapshot`, `asked` (a second sample: lines given beside evidence, or `full`; or None),
    `seconds` by stage, and `imported`.
    """
    folder = Path(job["checkpoint"])
    if lightning_checkpoint.is_lightning(folder):
        return lightning_checkpoint.probe(job, events)
    files = inspect_folder(folder)
    found = {**files["problems"], **files["refusals"]}
    if found:
        return _not_loaded(files, "; ".join(f"{name} {why}" for name, why in found.items()))
    clock = Clock()
    kept = _read_evidence(folder)
    with _as_at_the_save(kept.get("recipe", {})):
        events.progress("reloading the checkpoint", 0, 1)
        try:
            loaded = load(folder, job, kept.get("recipe", {}))
        except NotLoadableError as error:
            files["refusals" if error.refused else "problems"][error.file] = error.why
            return _not_loaded(files, f"{error.file} {error.why}")
        clock.stop("load")
        events.progress("reloading the checkpoint", 1, 1)
        snapshot = ask(loaded, job, kept, folder)
        clock.stop("ask")
        asked = ask_more(loaded, job, kept)
        clock.stop("ask more")
    return {
        "files": files,
        "snapshot": snapshot,
        "asked": asked,
        "seconds": clock.seconds,
        "imported": imported_distributions(),
    }


def load(folder: Path, job: Mapping[str, Any], recipe: Mapping[str, Any]) -> Loaded:
    """Model and tokenizer by their concrete classes, at the dtype that the file has.

    Raises NotLoadableError where the folder is to blame, JobError where this environment or machine is.
    """
    import torch

    device = loading.choose_device(job.get("device", "cpu"))
    family = _family(folder, job.get("family") or recipe.get("family"))
    attention = recipe.get("attention")
    dtype = stored_dtype(folder) or _pickled_dtype(folder)
    torch.manual_seed(0)  # tensors that the file lacks get values from here: the same every time
    try:
        model, info = _model_class(folder, family).from_pretrained(
            str(folder),
            dtype=getattr(torch, dtype),
            weights_only=True,
            trust_remote_code=False,
            local_files_only=True,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
            **({"attn_implementation": attention} if attention in {"eager", "sdpa"} else {}),
        )
    except Exception as error:
        if isinstance(error, (JobError, ImportError)) or is_lasting(error) or is_out_of_memory(error):
            raise
        raise NotLoadableError(WHOLE, f"cannot be loaded: {explain(error).message}") from error
    return Loaded(model.to(device).eval(), _load_tokenizer(folder, family), _keys(info))


def ask(loaded: Loaded, job: Mapping[str, Any], kept: Json, folder: Path) -> Json:
    """The snapshot of the reloaded model: the questions of its save, or new ones about the job's lines."""
    recorded = ((kept.get("snapshot") or {}).get("weights") or {}).get("digests") or {}
    stored = _read_probe(folder) if kept else {}
    logits = stored.pop("logits", None)
    look = CaptureOptions(
        _asked_before(kept, stored) if kept else _new_questions(loaded, job),
        digests.algorithm_of(recorded.values()),
        also=frozenset(recorded),
        stored=logits,
        keys=loaded.keys,
        training=_training(kept),
        sample_threads=kept.get("recipe", {}).get("sample_threads"),
    )
    return collect(loaded.model, loaded.tokenizer, look)[0]


def _training(kept: Json) -> Json:
    """The training arguments of the save, as this version has them: what a training here would go on with."""
    told = ((kept.get("snapshot") or {}).get("effective") or {}).get("training")
    return training_here(told) if isinstance(told, Mapping) and A_TRAINERS in told else {}


def ask_more(loaded: Loaded, job: Mapping[str, Any], kept: Json) -> Json | None:
    """A second sample: the lines given where the first was of the evidence's, or all lines for `full`."""
    full = bool(job.get("full"))
    if loaded.tokenizer is None or not (full or (kept and job.get("source"))):
        return None
    before = _asked_before(kept, {}) if kept else None
    if job.get("source") or before is None:
        text, languages = _given_text(job), _given_languages(job, before)
    else:
        text, languages = before.text, before.languages
    if not text.source:
        return None
    family = family_of(loaded.model, loaded.tokenizer)
    parts = list(_in_parts(text)) if full else [draw(text)]
    settings = {"max_new_tokens": None} if full else dict(GREEDY)
    with eval_context(loaded.model):
        samples = [
            sample(loaded.model, loaded.tokenizer, family, Questions(part, languages, {}, settings))
            for part in parts
        ]
    joined = {
        key: [line for one in samples for line in one[key]] for key in ("source", "output", "reference")
    }
    return {**samples[0], **joined}


def _asked_before(kept: Json, probe: Mapping[str, Any]) -> Questions:
    recipe = kept.get("recipe", {})
    before = (kept.get("snapshot") or {}).get("sample") or {}
    text = ProbeText(
        tuple(before.get("source") or ()),
        tuple(before.get("reference") or ()),
        tuple(tuple(row) for row in recipe.get("rows") or ()),
    )
    languages = ProbeLanguages(recipe.get("source_code"), recipe.get("target_code"), before.get("language"))
    return Questions(text, languages, probe, before.get("settings") or GREEDY)


def _new_questions(loaded: Loaded, job: Mapping[str, Any]) -> Questions:
    text, languages = draw(_given_text(job)), _given_languages(job)
    if not text.source or loaded.tokenizer is None:
        return Questions(text, languages, {})
    family = family_of(loaded.model, loaded.tokenizer)
    limit = longest_source(loaded.model, loaded.tokenizer)
    rows = encode_sources(text, languages, family, loaded.tokenizer, limit)
    labels = encode_labels(text, languages, loaded.tokenizer, rows)
    probe = probe_batch(rows, labels, loaded.tokenizer.pad_token_id, loaded.model.config.vocab_size)
    return Questions(text, languages, probe)


def _given_text(job: Mapping[str, Any]) -> ProbeText:
    return ProbeText(tuple(job.get("source") or ()), tuple(job.get("reference") or ()))


def _given_languages(job: Mapping[str, Any], before: Questions | None = None) -> ProbeLanguages:
    given = ProbeLanguages(job.get("source_code"), job.get("target_code"), job.get("language"))
    known = before.languages if before else ProbeLanguages()
    return ProbeLanguages(
        given.source or known.source, given.target or known.target, given.name or known.name
    )


def _in_parts(text: ProbeText) -> Iterator[ProbeText]:
    for at in range(0, len(text.source), LINES):
        part = slice(at, at + LINES)
        yield ProbeText(text.source[part], text.reference[part], text.rows[part])


def _family(folder: Path, name: str | None) -> Family | None:
    if name in FAMILIES:
        return FAMILIES[name]
    try:
        return families.infer_family(str(folder))
    except JobError:
        return None  # of no family known here: the folder's own class names serve


def _model_class(folder: Path, family: Family | None) -> Any:
    import transformers

    if family is not None:
        return getattr(transformers, family.model_class)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    name = str((config.get("architectures") or [""])[0])
    named = getattr(transformers, name, None) if name else None
    if named is not None and hasattr(named, "from_pretrained") and hasattr(named, "generate"):
        return named
    return transformers.AutoModelForSeq2SeqLM


def _load_tokenizer(folder: Path, family: Family | None) -> Any:
    """The tokenizer; None where the folder holds no file of one."""
    import transformers

    if not any(True for pattern in TOKENIZER_FILES for _ in folder.glob(pattern)):
        return None
    try:
        if family is not None:
            return families.load_tokenizer(family, str(folder))
        return transformers.AutoTokenizer.from_pretrained(
            str(folder), trust_remote_code=False, local_files_only=True
        )
    except Exception as error:
        raise NotLoadableError("the tokenizer", f"cannot be loaded: {explain(error).message}") from error


def _pickled_dtype(folder: Path) -> str:
    """The widest floating-point dtype in pickled weights. This is where a payload comes to light."""
    import torch

    present = set()
    for path in weight_files(folder):
        if path.suffix == ".safetensors":
            continue
        try:
            state = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
        except pickle.UnpicklingError as error:
            why = "is a pickle that holds more than tensors: loading it could run code"
            raise NotLoadableError(path.name, why, refused=True) from error
        except RuntimeError as error:
            raise NotLoadableError(path.name, f"is damaged: {explain(error).message}") from error
        present |= {digests.dtype_name(tensor) for tensor in state.values() if hasattr(tensor, "dtype")}
    return next((name for name in FLOATS if name in present), "float32")


def _keys(info: Mapping[str, Any]) -> dict[str, list[str]]:
    def names(kind: str) -> list[str]:
        # From 5.0 on a mismatched key comes with its two shapes.
        return sorted(key if isinstance(key, str) else str(key[0]) for key in info.get(kind) or ())

    return {kind: names(f"{kind}_keys") for kind in ("missing", "unexpected", "mismatched")}


def _not_loaded(files: Json, why: str) -> Json:
    snapshot: Json = {
        **dict.fromkeys(PARTS),
        "origin": {"versions": versions()},
        "unseen": dict.fromkeys(PARTS, f"it was not loaded: {why}"),
    }
    return {"files": files, "snapshot": snapshot, "asked": None, "seconds": {}, "imported": []}


def _read_evidence(folder: Path) -> Json:
    """The evidence of the save; empty where there is none. Raises JobError where it is damaged."""
    try:
        kept: Json = json.loads((folder / EVIDENCE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise JobError("broken evidence", f"{folder / EVIDENCE} is not valid JSON: {error}") from error
    return kept


def _read_probe(folder: Path) -> dict[str, Any]:
    """The probe batch and its logits; empty where they are not there or damaged."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(folder / PROBE))
    except (FileNotFoundError, SafetensorError):
        return {}


@contextmanager
def _as_at_the_save(recipe: Mapping[str, Any]) -> Iterator[None]:
    """The number of threads and the kind of kernels of the save: sums are then added up in the same order."""
    import torch

    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(int(recipe.get("threads") or threads))
    torch.use_deterministic_algorithms(bool(recipe.get("deterministic", True)), warn_only=True)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(deterministic)


@dataclass(slots=True)
class Clock:
    """Seconds by stage."""

    seconds: dict[str, float] = field(default_factory=dict)
    _last: float = field(default_factory=time.monotonic)

    def stop(self, stage: str) -> None:
        """The stage that began with the last call ends."""
        now = time.monotonic()
        self.seconds[stage] = round(now - self._last, 3)
        self._last = now
