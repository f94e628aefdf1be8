"""Collect the evidence of one model at one moment: tensors, a forward pass, a sample, tokenizer, settings.

The same code looks at a model in training memory (`EvidenceRecorder`, at each save) and at one that was
reloaded (`runners.worker.evidence.reload`). Results are plain values in the shape of
`ledger.evidence.snapshot.Snapshot`. A part that cannot be had is None, and `unseen` says why: collecting
evidence never ends a training.
"""

import hashlib
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
from runners.worker.evidence.probe_inputs import Questions, encode_sources, family_of, new_tokens
from runners.worker.models import families, resolved_config
from runners.worker.models.families import Family
from runners.worker.models.translator import longest_source, text_of

Json = dict[str, Any]

PACKAGES = ("torch", "transformers", "tokenizers", "safetensors", "accelerate", "sentencepiece")
SENTENCES = (
    "안녕하세요. 파일을 저장했습니다.",
    "こんにちは。ファイルを保存しました。",
    "Hello, world! 3.14 km",
)
SPECIAL = ("bos", "eos", "unk", "pad", "sep", "cls", "mask")
MOST_CODES = 300
WRITTEN_ON_SAVE = {"architectures", "dtype", "torch_dtype"}  # not in a config that was never saved


@dataclass(frozen=True, slots=True)
class CaptureOptions:
    """What a look needs beside the model and its tokenizer.

    `algorithm` is that of the digests; `also` names tensors to digest although the class does not save them.
    `stored` are the logits kept at save time; `keys` is what from_pretrained reported. `origin` and
    `training` are what the caller knows of the run and of its TrainingArguments. `sample_threads` are those
    that the sample is translated with, None for as many as there are now. `in_haste`: what a copy of the
    model can tell as well, digests and sample, is left for `complete`.
    """

    questions: Questions
    algorithm: str = digests.DEFAULT
    also: Collection[str] = ()
    stored: Any = None
    keys: Mapping[str, list[str]] = field(default_factory=dict)
    origin: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    sample_threads: int | None = None
    in_haste: bool = False
    on_failure: Callable[[], object] = traceback.print_exc


def collect(model: Any, tokenizer: Any, look: CaptureOptions) -> tuple[Json, Any]:
    """The snapshot, and the probe batch's logits as float32 of shape (rows, tokens, vocabulary), or None.

    Puts the model into evaluation mode for the time that it takes. The tokenizer's languages are changed:
    give a copy where somebody else uses it.
    """
    model = unwrap(model)
    unseen: dict[str, str] = {}
    part = partial(_part, unseen, look.on_failure)
    with eval_context(model):
        forward, logits = part("forward", lambda: ask_forward(model, look)) or (None, None)
        snapshot = {
            "weights": part("weights", lambda: weights(model, look)),
            "forward": forward,
            "sample": None if look.in_haste else _sample_part(model, tokenizer, look, unseen),
            "tokenizer": part("tokenizer", lambda: tokenizer_facts(tokenizer, family_of(model, tokenizer))),
            "effective": part("effective", lambda: settings(model, tokenizer, look.training)),
            "origin": {"versions": versions(), **look.origin},
            "unseen": unseen,
        }
    return resolved_config.plain(snapshot), logits


def weights(model: Any, look: CaptureOptions) -> Json:
    """The part `Weights`: what a save of this model should hold."""
    tensors = digests.saved_tensors(model, look.also)
    return {
        "digests": {} if look.in_haste else digests.digest_tensors(tensors, look.algorithm),
        "dtypes": {name: digests.dtype_name(tensor) for name, tensor in tensors.items()},
        "shapes": {name: list(tensor.shape) for name, tensor in tensors.items()},
        "ties": digests.ties(tensors),
        "not_finite": digests.not_finite(tensors),
        **look.keys,
    }


def ask_forward(model: Any, look: CaptureOptions) -> tuple[Json, Any]:
    """The part `Forward`, and the logits: the same bits for the same weights, batch, device and threads."""
    import torch

    if not look.questions.probe:
        raise JobError("no probe", "there is no probe batch, nor lines to make one of")
    probe = {name: tensor.to(model.device) for name, tensor in look.questions.probe.items()}
    output = model(**probe, use_cache=False)
    logits = output.logits.detach().to("cpu", torch.float32).contiguous()
    answer = {
        "loss": float(output.loss),
        "logits_digest": f"sha256:{hashlib.sha256(memoryview(logits.numpy()).cast('B')).hexdigest()}",
        "dtype": digests.dtype_name(output.logits),
        "device": model.device.type,
        "max_difference": None if look.stored is None else _difference(logits, look.stored),
    }
    return answer, logits


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


def complete(snapshot: Mapping[str, Any], copied: Any, tokenizer: Any, look: CaptureOptions) -> Json:
    """A snapshot that was taken in haste with its digests and its sample, of a copy that nobody trains."""
    import torch

    unseen = dict(snapshot["unseen"])
    tensors = digests.saved_tensors(copied, look.also)
    found = snapshot["weights"] and _part(
        unseen,
        look.on_failure,
        "weights",
        lambda: {**snapshot["weights"], "digests": digests.digest_tensors(tensors, look.algorithm)},
    )
    with torch.no_grad():
        answer = _sample_part(copied, tokenizer, look, unseen)
    return {**snapshot, "weights": found, "sample": resolved_config.plain(answer), "unseen": unseen}


def _sample_part(model: Any, tokenizer: Any, look: CaptureOptions, unseen: dict[str, str]) -> Any:
    with threads(look.sample_threads):
        family = family_of(model, tokenizer)
        return _part(
            unseen, look.on_failure, "sample", lambda: sample(model, tokenizer, family, look.questions)
        )


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """So many threads for what this thread computes; None for as many as it has."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def sample(model: Any, tokenizer: Any, family: Family | None, questions: Questions) -> Json:
    """The part `Sample`: the drawn lines translated in one batch."""
    tokenizer = _needed(tokenizer)
    text, languages = questions.text, questions.languages
    if not (text.source or text.rows):
        raise JobError("no lines", "no lines to translate were given")
    limit = longest_source(model, tokenizer)
    rows = encode_sources(text, languages, family, tokenizer, limit)
    told = families.generation_kwargs(family, tokenizer, languages.target) if family else {}
    room = {"max_new_tokens": new_tokens(rows, getattr(model.config, "max_position_embeddings", None))}
    parameters = {**room, **questions.settings, **told}
    return {
        "source": list(text.source),
        "output": generate(model, tokenizer, rows, parameters),
        "settings": parameters,
        "reference": list(text.reference),
        "language": languages.name,
    }


def generate(model: Any, tokenizer: Any, rows: list[list[int]], parameters: Mapping[str, Any]) -> list[str]:
    """The text that the model makes of each row of token ids, all in one batch."""
    import torch

    width = max(len(row) for row in rows)
    pad = tokenizer.pad_token_id
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


def tokenizer_facts(tokenizer: Any, family: Family | None) -> Json:
    """The part `TokenizerFacts`. Sentences are encoded without special tokens: languages change those."""
    tokenizer = _needed(tokenizer)
    codes = families.known_codes(family, tokenizer)[:MOST_CODES] if family else ()
    return {
        "name": type(tokenizer).__name__.removesuffix("Fast"),
        "size": len(tokenizer),
        "ids": {text: list(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in SENTENCES},
        "special": {role: getattr(tokenizer, f"{role}_token_id", None) for role in SPECIAL},
        "codes": {code: families.code_id(family, tokenizer, code) for code in codes} if family else {},
    }


def settings(model: Any, tokenizer: Any, training: Mapping[str, Any]) -> Json:
    """The part `Effective`: what holds when `generate` is called with nothing."""
    found = resolved_config.describe_model(model, resolved_config.resolve_generation(model, {}))
    own = {} if tokenizer is None else resolved_config.describe_tokenizer(tokenizer)
    model_settings = {key: value for key, value in found["model"].items() if key not in WRITTEN_ON_SAVE}
    return {**found, "model": model_settings, "tokenizer": own, "training": dict(training)}


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that matter for a reload, where they are installed."""
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


def _part(
    unseen: dict[str, str], on_failure: Callable[[], object], name: str, look: Callable[[], Any]
) -> Any:
    """What `look` returns; None where it fails, with the reason in `unseen`."""
    try:
        return look()
    except Exception as error:
        on_failure()
        unseen[name] = str(explain(error).message)
        return None
