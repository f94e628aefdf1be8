"""Captures the evidence of one model at one moment: tensors, a forward pass, a sample, tokenizer, settings.

The same code captures a model in training memory (`EvidenceRecorder`, at each checkpoint) and one that was
reloaded (`runners.worker.evidence.reload`). Results are plain values in the shape of
`ledger.evidence.snapshot.Snapshot`. A part that cannot be captured is None, with the reason in `unseen`:
capturing evidence never ends a training.
"""

import hashlib
import json
import platform
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib import metadata
from typing import Any

from runners.worker.error_messages import explain
from runners.worker.errors import JobError
from runners.worker.evidence import digests
from runners.worker.evidence.eval_context import eval_context, unwrap
from runners.worker.evidence.probe_inputs import (
    ProbeInputs,
    ProbeText,
    encode_labels,
    encode_sources,
    family_of,
    new_tokens,
)
from runners.worker.messages import CheckpointResult
from runners.worker.models import families, resolved_config
from runners.worker.models.families import Family
from runners.worker.models.translator import longest_source, text_of

Json = dict[str, Any]

PARTS = ("weights", "forward", "sample", "tokenizer", "effective")
PACKAGES = ("torch", "transformers", "tokenizers", "safetensors", "accelerate", "sentencepiece")
SENTENCES = (
    "안녕하세요. 파일을 저장했습니다.",
    "こんにちは。ファイルを保存しました。",
    "Hello, world! 3.14 km",
)
SPECIAL = ("bos", "eos", "unk", "pad", "sep", "cls", "mask")
MOST_CODES = 300
MOST_CALLS = 8  # lines of the sample that are encoded as whole calls
WRITTEN_ON_SAVE = {"architectures", "dtype", "torch_dtype"}  # not in a config that was never saved


@dataclass(frozen=True, slots=True)
class CaptureOptions:
    """What is captured in addition to the model and its tokenizer, and how.

    `also` names tensors to digest although the class does not save them. `stored` are the logits that were
    recorded with the checkpoint; `keys` is what from_pretrained reported. `origin` and `training` describe
    the run and its TrainingArguments. `sample_threads`: the number of threads that translate the sample,
    None for the current number. `quick`: digests and sample, which a copy of the model gives as well, are
    left to `complete`.
    """

    inputs: ProbeInputs
    also: Collection[str] = ()
    stored: Any = None
    keys: Mapping[str, list[str]] = field(default_factory=dict)
    origin: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    sample_threads: int | None = None
    quick: bool = False
    on_failure: Callable[[], object] = traceback.print_exc


def capture(model: Any, tokenizer: Any, options: CaptureOptions) -> tuple[Json, Any]:
    """The snapshot, and the probe batch's logits as float32 of shape (rows, tokens, vocabulary), or None.

    The model is in evaluation mode meanwhile. The tokenizer's languages are changed: pass a copy where it is
    used elsewhere.
    """
    model = unwrap(model)
    unseen: dict[str, str] = {}
    captured = partial(part, unseen, options.on_failure)
    with eval_context(model):
        forward, logits = captured("forward", lambda: run_forward(model, options)) or (None, None)
        snapshot = {
            "weights": captured("weights", lambda: weights(model, options)),
            "forward": forward,
            "sample": None if options.quick else _sample_part(model, tokenizer, options, unseen),
            "tokenizer": captured("tokenizer", lambda: tokenizer_facts(tokenizer, model, options.inputs)),
            "effective": captured("effective", lambda: settings(model, tokenizer, options.training)),
            "origin": {"versions": versions(), **options.origin},
            "unseen": unseen,
        }
    return resolved_config.plain(snapshot), logits


def weights(model: Any, options: CaptureOptions) -> Json:
    """The part `Weights`: what a checkpoint of this model should hold."""
    tensors = digests.saved_tensors(model, options.also)
    return {
        "digests": {} if options.quick else digests.digest_tensors(tensors),
        "dtypes": {name: digests.dtype_name(tensor) for name, tensor in tensors.items()},
        "shapes": {name: list(tensor.shape) for name, tensor in tensors.items()},
        "ties": digests.ties(tensors),
        "not_finite": digests.not_finite(tensors),
        "zeros": digests.zeros(tensors),
        **options.keys,
    }


def run_forward(model: Any, options: CaptureOptions) -> tuple[Json, Any]:
    """The part `Forward`, and the logits: the same bits for the same weights, batch, device and threads."""
    import torch

    if not options.inputs.probe:
        raise JobError("no probe", "there is no probe batch, and there are no lines to make one from")
    probe = {name: tensor.to(model.device) for name, tensor in options.inputs.probe.items()}
    output = model(**probe, use_cache=False)
    logits = output.logits.detach().to("cpu", torch.float32).contiguous()
    answer = {
        "loss": float(output.loss),
        "logits_digest": f"sha256:{hashlib.sha256(memoryview(logits.numpy()).cast('B')).hexdigest()}",
        "dtype": digests.dtype_name(output.logits),
        "device": model.device.type,
        "max_difference": None if options.stored is None else _difference(logits, options.stored),
        "not_finite": _not_finite(logits),
    }
    return answer, logits


def _not_finite(logits: Any) -> str:
    """Which positions have NaN or infinite logits; a token that is excluded everywhere does not count."""
    import torch

    excluded = torch.isneginf(logits).flatten(0, -2).all(0)
    broken = ~torch.isfinite(logits) & ~(excluded & torch.isneginf(logits))
    if not broken.any():
        return ""
    what = "NaN" if torch.isnan(logits).any() else "infinity"
    return f"{what} at {int(broken.any(-1).sum())} of {logits[..., 0].numel()} positions"


def _difference(logits: Any, stored: Any) -> float:
    """The largest absolute difference; infinite where the shapes differ, 0 where both have the same NaN."""
    import torch

    if logits.shape != stored.shape:
        return float("inf")
    if torch.equal(logits, stored):
        return 0.0
    apart = (logits - stored).abs()
    apart[torch.isnan(logits) & torch.isnan(stored)] = 0.0
    return float(apart.max())  # NaN where only one side has it


def complete(snapshot: Mapping[str, Any], copied: Any, tokenizer: Any, options: CaptureOptions) -> Json:
    """A `quick` snapshot with its digests and its sample added, from a copy of the model."""
    import torch

    unseen = dict(snapshot["unseen"])
    tensors = digests.saved_tensors(copied, options.also)
    found = snapshot["weights"] and part(
        unseen,
        options.on_failure,
        "weights",
        lambda: {**snapshot["weights"], "digests": digests.digest_tensors(tensors)},
    )
    with torch.no_grad():
        answer = _sample_part(copied, tokenizer, options, unseen)
    return {**snapshot, "weights": found, "sample": resolved_config.plain(answer), "unseen": unseen}


def _sample_part(model: Any, tokenizer: Any, options: CaptureOptions, unseen: dict[str, str]) -> Any:
    with threads(options.sample_threads):
        family = family_of(model, tokenizer)
        return part(
            unseen, options.on_failure, "sample", lambda: sample(model, tokenizer, family, options.inputs)
        )


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Compute with `count` threads within the block; None: the current number."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def sample(model: Any, tokenizer: Any, family: Family | None, inputs: ProbeInputs) -> Json:
    """The part `Sample`: the drawn lines translated in one batch."""
    tokenizer = _needed(tokenizer)
    text, languages = inputs.text, inputs.languages
    if not (text.source or text.rows):
        raise JobError("no lines", "no lines to translate were given")
    limit = longest_source(model, tokenizer)
    rows = encode_sources(text, languages, family, tokenizer, limit)
    target = families.generation_kwargs(family, tokenizer, languages.target) if family else {}
    room = {"max_new_tokens": new_tokens(rows, getattr(model.config, "max_position_embeddings", None))}
    parameters = {**room, **inputs.settings, **target}
    return {
        "source": list(text.source),
        "output": generate(model, tokenizer, rows, parameters),
        "settings": parameters,
        "reference": list(text.reference),
        "language": languages.name,
    }


def generate(model: Any, tokenizer: Any, rows: list[list[int]], parameters: Mapping[str, Any]) -> list[str]:
    """The text that the model generates for each row of token ids, all in one batch."""
    import torch

    width = max(len(row) for row in rows)
    pad = tokenizer.pad_token_id or 0
    resolved = resolved_config.resolve_generation(model, parameters)
    output = model.generate(
        input_ids=torch.tensor([row + [pad] * (width - len(row)) for row in rows], device=model.device),
        attention_mask=torch.tensor(
            [[1] * len(row) + [0] * (width - len(row)) for row in rows], device=model.device
        ),
        use_cache=True,
        **parameters,
    )
    best = output[:: resolved.num_return_sequences or 1].tolist()
    return [text_of(tokenizer, sequence, resolved.forced_bos_token_id) for sequence in best]


def tokenizer_facts(tokenizer: Any, model: Any, inputs: ProbeInputs) -> Json:
    """The part `TokenizerFacts`. `ids` are without special tokens, which depend on the languages; `calls`
    are with them, in the languages of the inputs."""
    tokenizer, family = _needed(tokenizer), family_of(model, tokenizer)
    codes = families.known_codes(family, tokenizer)[:MOST_CODES] if family else ()
    return {
        "name": type(tokenizer).__name__.removesuffix("Fast"),
        "size": len(tokenizer),
        "ids": {text: list(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in SENTENCES},
        "special": {role: getattr(tokenizer, f"{role}_token_id", None) for role in SPECIAL},
        "codes": {code: families.code_id(family, tokenizer, code) for code in codes} if family else {},
        "calls": _calls(tokenizer, family, inputs),
        "template": _template(tokenizer),
        "rows": int(model.get_input_embeddings().weight.shape[0]),
    }


def _calls(tokenizer: Any, family: Family | None, inputs: ProbeInputs) -> Json:
    """Whole calls: the fixed sentences and some lines, as sources and as targets."""
    lines = (*SENTENCES, *inputs.text.source[:MOST_CALLS])
    text, languages = ProbeText(lines, lines), inputs.languages
    sources = encode_sources(text, languages, family, tokenizer, None)
    targets = encode_labels(text, languages, tokenizer, sources)
    named = {f"target: {line}": ids for line, ids in zip(lines, targets, strict=True)}
    return {**dict(zip(lines, sources, strict=True)), **named}


def _template(tokenizer: Any) -> str | None:
    """The chat template; the named templates of one that has several, as JSON."""
    template = getattr(tokenizer, "chat_template", None)
    return template if template is None or isinstance(template, str) else json.dumps(template, sort_keys=True)


def settings(model: Any, tokenizer: Any, training: Mapping[str, Any]) -> Json:
    """The part `Effective`: the settings of `generate` without arguments."""
    found = resolved_config.describe_model(model, resolved_config.resolve_generation(model, {}))
    own = {} if tokenizer is None else resolved_config.describe_tokenizer(tokenizer)
    model_settings = {key: value for key, value in found["model"].items() if key not in WRITTEN_ON_SAVE}
    return {**found, "model": model_settings, "tokenizer": own, "training": dict(training)}


def versions() -> dict[str, str]:
    """The versions of Python and of the installed packages that matter for a reload."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def now() -> str:
    """The time in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _needed(tokenizer: Any) -> Any:
    if tokenizer is None:
        raise JobError("no tokenizer", "there is no tokenizer")
    return tokenizer


def part(unseen: dict[str, str], on_failure: Callable[[], object], name: str, read: Callable[[], Any]) -> Any:
    """What `read` returns; None where it fails, with the reason in `unseen`."""
    try:
        return read()
    except Exception as error:
        on_failure()
        unseen[name] = str(explain(error).message)
        return None


def not_loaded(files: Mapping[str, Any]) -> CheckpointResult:
    """The result for a folder that was not loaded, because of its problems or refusals."""
    found = {**files["problems"], **files["refusals"]}
    why = "; ".join(f"{'the folder' if name == '.' else name} {what}" for name, what in found.items())
    unseen = dict.fromkeys(PARTS, f"it was not loaded: {why}")
    snapshot = {**dict.fromkeys(PARTS), "origin": {"versions": versions()}, "unseen": unseen}
    return CheckpointResult(files, snapshot)
