"""Reloads a checkpoint of transformers in the usual way, and captures its evidence again.

The inputs are those of the stored evidence, where there is some. Whatever would have to be trusted (a pickle
with more than tensors in it, code of the checkpoint's own, a link out of its folder) is refused unopened.
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
from runners.worker.evidence import digests
from runners.worker.evidence.checkpoint_files import WHOLE, inspect_folder, stored_dtype, weight_files
from runners.worker.evidence.eval_context import eval_context
from runners.worker.evidence.lightning_checkpoint import PICKLED
from runners.worker.evidence.loaded_weights import unlike_file
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
from runners.worker.evidence.snapshot import SENTENCES, CaptureOptions, capture, not_loaded, sample
from runners.worker.evidence.tokenizer_files import disagreements
from runners.worker.evidence.weight_files import Tensors, conflicts
from runners.worker.imported_packages import imported_distributions
from runners.worker.layout import EVIDENCE, FOLDER, PROBE
from runners.worker.messages import CheckpointResult, CodesResult, ProbeCheckpoint
from runners.worker.models import families, loading
from runners.worker.models.checkpoint_languages import Wish, choose_source, choose_target
from runners.worker.models.families import FAMILIES, Family, is_known
from runners.worker.models.language_codes import probe_in
from runners.worker.models.library_defaults import training_here
from runners.worker.models.translator import longest_source
from runners.worker.protocol import Events

Json = dict[str, Any]

TOKENIZER_FILES = ("tokenizer_config.json", "tokenizer.json", "vocab.json", "*.spm", "*.model", "vocab.txt")
TRAINER_ARGUMENT = "per_device_train_batch_size"  # in the arguments of every Hugging Face Trainer
FLOATS = ("float64", "float32", "float16", "bfloat16")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A reloaded checkpoint; `keys` is what from_pretrained reported."""

    model: Any
    tokenizer: Any
    keys: Mapping[str, list[str]]


class NotLoadableError(Exception):
    """This environment's transformers cannot load the folder: the file to blame, and why."""

    def __init__(self, file: str, why: str, *, refused: bool = False) -> None:
        super().__init__(why)
        self.file, self.why, self.refused = file, why, refused


def probe(job: ProbeCheckpoint, events: Events) -> CheckpointResult:
    """Reload the job's checkpoint and capture its evidence; see `ProbeCheckpoint`."""
    folder = job.checkpoint
    files = {**(job.files or inspect_folder(folder))}
    if files["problems"] or files["refusals"]:
        return not_loaded(files)
    stored = _read_evidence(folder)
    recipe = stored.get("recipe", {})
    stopwatch = Stopwatch()
    with _recorded_kernels(recipe):
        events.progress("reloading the checkpoint", 0, 1)
        try:
            loaded = load(folder, job, recipe)
        except NotLoadableError as error:
            files["refusals" if error.refused else "problems"][error.file] = error.why
            return not_loaded(files)
        files.update(conflicts(folder))
        stopwatch.lap("load")
        events.progress("reloading the checkpoint", 1, 1)
        if codes := _unknown_codes(loaded, job):
            return CheckpointResult(files, not_loaded(files).snapshot, codes=codes)
        snapshot = capture_again(loaded, job, stored)
        stopwatch.lap("ask")
        asked = second_sample(loaded, job, stored, events)
        stopwatch.lap("ask more")
    return CheckpointResult(
        files, snapshot, asked, seconds=stopwatch.seconds, imported=imported_distributions()
    )


def load(folder: Path, job: ProbeCheckpoint, recipe: Mapping[str, Any]) -> Loaded:
    """Model and tokenizer by their concrete classes, in the dtype of the file.

    Raises NotLoadableError where the folder is to blame, JobError where this environment or machine is.
    """
    import torch

    device = loading.choose_device(job.device)
    family = _family(folder, job.family or recipe.get("family"))
    attention = recipe.get("attention")
    dtype = stored_dtype(folder) or _pickled_dtype(folder)
    torch.manual_seed(0)  # tensors that the file lacks are drawn from here: the same every time
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
        raise NotLoadableError(
            _blamed(folder, error), f"cannot be loaded: {explain(error).message}"
        ) from error
    return Loaded(model.to(device).eval(), _load_tokenizer(folder, family), _keys(info))


def capture_again(loaded: Loaded, job: ProbeCheckpoint, stored: Json) -> Json:
    """The snapshot of the reloaded model: with the inputs of its evidence, or with the job's lines."""
    recorded = ((stored.get("snapshot") or {}).get("weights") or {}).get("digests") or {}
    tensors = _read_probe(job.checkpoint) if stored else {}
    logits = tensors.pop("logits", None)
    options = CaptureOptions(
        _stored_inputs(stored, tensors) if stored else _new_inputs(loaded, job),
        also=frozenset(recorded),
        stored=logits,
        keys=loaded.keys,
        training=_training(stored),
        sample_threads=stored.get("recipe", {}).get("sample_threads"),
    )
    snapshot, _ = capture(loaded.model, loaded.tokenizer, options)
    _add_file_checks(snapshot, loaded, job.checkpoint)
    if algorithm := digests.foreign_algorithm(recorded.values()):
        why = f"the stored digests are {algorithm}, and only {digests.ALGORITHM} is supported"
        return {**snapshot, "weights": None, "unseen": {**snapshot["unseen"], "weights": why}}
    return snapshot


def _add_file_checks(snapshot: Json, loaded: Loaded, folder: Path) -> None:
    """Add how the loaded model and tokenizer compare with the folder's own files."""
    stored = {name: tensors for path in weight_files(folder) for name, tensors in Tensors(path).items()}
    if snapshot["weights"] is not None:
        reported = {name for names in loaded.keys.values() for name in names}
        snapshot["weights"]["unlike_file"] = unlike_file(loaded.model, stored, reported)
        own = loaded.model.state_dict()
        mismatched = [name for name in loaded.keys["mismatched"] if name in stored and name in own]
        zeros = [name for name in mismatched if not (stored[name].any() or own[name].any())]
        snapshot["weights"]["mismatched_zeros"] = zeros
    if snapshot["tokenizer"] is not None:
        snapshot["tokenizer"]["disagreements"] = disagreements(loaded.tokenizer, folder)


def _training(stored: Json) -> Json:
    """The stored training arguments in this version's terms: what a training resumed here would use."""
    arguments = ((stored.get("snapshot") or {}).get("effective") or {}).get("training")
    if isinstance(arguments, Mapping) and TRAINER_ARGUMENT in arguments:
        return training_here(arguments)
    return {}


def second_sample(loaded: Loaded, job: ProbeCheckpoint, stored: Json, events: Events) -> Json | None:
    """A sample of the job's lines in addition to that of the evidence, or of all lines for `full`."""
    if loaded.tokenizer is None or not (job.full or (stored and job.source)):
        return None
    before = _stored_inputs(stored, {}) if stored else None
    if job.source or before is None:
        text, languages = _given_text(job), _languages(loaded, job, before)
    else:
        text, languages = before.text, before.languages
    if not text.source:
        return None
    family = family_of(loaded.model, loaded.tokenizer)
    parts = list(_in_parts(text)) if job.full else [draw(text)]
    settings = {"max_new_tokens": None} if job.full else dict(GREEDY)
    samples = []
    with eval_context(loaded.model):
        for done, part in enumerate(parts):
            events.progress("translating", done, len(parts))
            inputs = ProbeInputs(part, languages, {}, settings)
            samples.append(sample(loaded.model, loaded.tokenizer, family, inputs))
    joined = {
        key: [line for one in samples for line in one[key]] for key in ("source", "output", "reference")
    }
    return {**samples[0], **joined}


def _stored_inputs(stored: Json, probe: Mapping[str, Any]) -> ProbeInputs:
    recipe = stored.get("recipe", {})
    before = (stored.get("snapshot") or {}).get("sample") or {}
    text = ProbeText(
        tuple(before.get("source") or ()),
        tuple(before.get("reference") or ()),
        tuple(tuple(row) for row in recipe.get("rows") or ()),
    )
    languages = ProbeLanguages(recipe.get("source_code"), recipe.get("target_code"), before.get("language"))
    return ProbeInputs(text, languages, probe, before.get("settings") or GREEDY)


def _new_inputs(loaded: Loaded, job: ProbeCheckpoint) -> ProbeInputs:
    """The given lines; without any, built-in sentences or ids go through the model, but into no sample."""
    text, languages = draw(_given_text(job)), _languages(loaded, job)
    rows, labels, pad = some_ids(loaded.model), some_ids(loaded.model), 0
    if loaded.tokenizer is not None:
        probed, pad = text if text.source else ProbeText(SENTENCES), loaded.tokenizer.pad_token_id or 0
        family = family_of(loaded.model, loaded.tokenizer)
        limit = longest_source(loaded.model, loaded.tokenizer)
        rows = encode_sources(probed, languages, family, loaded.tokenizer, limit)
        labels = encode_labels(probed, languages, loaded.tokenizer, rows)
    return ProbeInputs(text, languages, probe_batch(rows, labels, pad, vocabulary_size(loaded.model)))


def _given_text(job: ProbeCheckpoint) -> ProbeText:
    return ProbeText(job.source, job.reference)


def _languages(loaded: Loaded, job: ProbeCheckpoint, before: ProbeInputs | None = None) -> ProbeLanguages:
    """The codes that the user wrote, else those of the evidence, else what follows for these weights."""
    known = before.languages if before else ProbeLanguages()
    source, target = job.source_code or known.source, job.target_code or known.target
    if loaded.tokenizer is not None:
        model, tokenizer = loaded.model, loaded.tokenizer
        family = family_of(model, tokenizer)
        if job.prefix and (family is None or family.target != "prefix"):
            message = f"--prefix is for models that take their task in words, and this is {_kind(family)}"
            raise JobError("no prefix", message, "leave it out, or give --target-code")
        source = choose_source(family, tokenizer, Wish(source))
        configs = (model.generation_config, model.config)
        target = job.prefix or choose_target(family, configs, tokenizer, Wish(target, job.names))
    return ProbeLanguages(source, target, job.language or known.name)


def _unknown_codes(loaded: Loaded, job: ProbeCheckpoint) -> CodesResult | None:
    """How the tokenizer treats the codes that the user wrote; None if it knows them."""
    family = None if loaded.tokenizer is None else family_of(loaded.model, loaded.tokenizer)
    written = [code for code in (job.source_code, job.target_code) if code is not None]
    if family is None or all(is_known(family, loaded.tokenizer, code) for code in written):
        return None
    return probe_in(family, loaded.tokenizer, job.source_code, job.target_code, ())


def _kind(family: Family | None) -> str:
    return f"a {family.name} model" if family else "of no such family"


def _in_parts(text: ProbeText) -> Iterator[ProbeText]:
    for at in range(0, len(text.source), LINES):
        part = slice(at, at + LINES)
        yield ProbeText(text.source[part], text.reference[part], text.rows[part])


def _blamed(folder: Path, error: Exception) -> str:
    files = weight_files(folder)
    return files[0].name if type(error).__name__ == "SafetensorError" and len(files) == 1 else WHOLE


def _family(folder: Path, name: str | None) -> Family | None:
    """The family that the evidence or the config names. Raises NotLoadableError where they disagree, JobError
    for a kind of model that this version of the library does not have."""
    import transformers

    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    kind, named = config.get("model_type"), config.get("architectures")
    name_of_class = str(named[0]) if isinstance(named, list) and named else ""
    own = getattr(
        getattr(getattr(transformers, name_of_class, None), "config_class", None), "model_type", kind
    )
    if kind is not None and own != kind:
        why = f"has the model_type {kind}, and the architecture {name_of_class} is a {own}"
        raise NotLoadableError("config.json", why)
    saved = FAMILIES.get(name or "")
    if saved is not None and kind not in (saved.model_type, None):
        why = f"has the model_type {kind}, and the model that was saved is a {saved.model_type}"
        raise NotLoadableError("config.json", why)
    if isinstance(kind, str) and kind not in transformers.CONFIG_MAPPING:
        known = f"transformers {transformers.__version__} has no model_type {kind}"
        raise JobError("unsupported", f"unsupported checkpoint type: {known}", "name another with --env")
    if saved is not None:
        return saved
    try:
        return families.infer_family(str(folder))
    except JobError:
        return None  # an unknown family: use the class names in the folder


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
    """The tokenizer; None if the folder has no files of one."""
    import transformers

    if not any(True for pattern in TOKENIZER_FILES for _ in folder.glob(pattern)):
        return None
    try:
        if family is not None:
            tokenizer = families.load_tokenizer(family, str(folder))
        else:
            tokenizer = transformers.AutoTokenizer.from_pretrained(
                str(folder), trust_remote_code=False, local_files_only=True
            )
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic in tokenizers, which is written in Rust, is no Exception
        raise NotLoadableError("the tokenizer", f"cannot be loaded: {explain(error).message}") from error
    if not hasattr(tokenizer, "decode"):  # what some versions return for files that they cannot read
        raise NotLoadableError("the tokenizer", "cannot be loaded: its files are not those of its class")
    return tokenizer


def _pickled_dtype(folder: Path) -> str:
    """The widest floating-point dtype in pickled weights. Raises NotLoadableError for a payload."""
    import torch

    present = set()
    for path in weight_files(folder):
        if path.suffix == ".safetensors":
            continue
        try:
            state = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
        except pickle.UnpicklingError as error:
            raise NotLoadableError(path.name, PICKLED, refused=True) from error
        except RuntimeError as error:
            raise NotLoadableError(path.name, f"is damaged: {explain(error).message}") from error
        present |= {digests.dtype_name(tensor) for tensor in state.values() if hasattr(tensor, "dtype")}
    return next((name for name in FLOATS if name in present), "float32")


def _keys(info: Mapping[str, Any]) -> dict[str, list[str]]:
    def names(kind: str) -> list[str]:
        # Since 5.0 a mismatched key comes with its two shapes.
        return sorted(key if isinstance(key, str) else str(key[0]) for key in info.get(kind) or ())

    return {kind: names(f"{kind}_keys") for kind in ("missing", "unexpected", "mismatched")}


def _read_evidence(folder: Path) -> Json:
    """The stored evidence; empty where there is none. Raises JobError where it is damaged."""
    path = folder / FOLDER / EVIDENCE
    try:
        stored: Json = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise JobError("broken evidence", f"{path} is not valid JSON: {error}") from error
    return stored


def _read_probe(folder: Path) -> dict[str, Any]:
    """The probe batch and its logits; empty where they are missing or damaged."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(folder / FOLDER / PROBE))
    except (FileNotFoundError, SafetensorError):
        return {}


@contextmanager
def _recorded_kernels(recipe: Mapping[str, Any]) -> Iterator[None]:
    """Use the recorded number of threads and kind of kernels, so that sums are added in the same order."""
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
class Stopwatch:
    """Seconds by stage."""

    seconds: dict[str, float] = field(default_factory=dict)
    _last: float = field(default_factory=time.monotonic)

    def lap(self, stage: str) -> None:
        """End a stage, which began at the last call."""
        now = time.monotonic()
        self.seconds[stage] = round(now - self._last, 3)
        self._last = now
