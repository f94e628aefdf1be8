"""Checkpoint evidence: what a model was when it was saved, what it is once reloaded, and where it came from.

The training process writes a `Snapshot` beside the weights (`save_evidence` in the worker); a fresh process
reloads the checkpoint and collects another. Both sides have one shape, so that guards compare like with like.
Plain values, their JSON, and the mark that a verified checkpoint bears; collecting is in `runners.worker`,
judging in `guards.checkpoint`.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.errors import LedgerError
from ledger.evidence.metrics import Metric
from ledger.findings import Json

if TYPE_CHECKING:
    from pydantic import TypeAdapter

# Everything that the ledger keeps in a checkpoint is in one folder of it, and travels with it.
FOLDER = "ledger"
EVIDENCE = "evidence.json"
PROBE = "probe.safetensors"
VERIFIED = "verified.json"
VERSION = 1

# What only going on with the training needs: by name and size in the digest, for it is most of the bytes.
RESUME_ONLY = re.compile(r"(optimizer|scheduler|scaler|rng_state).*\.(pt|pth|bin)")
CHECKPOINT = re.compile(r"checkpoint-(\d{1,15})")
PIECE = 4 << 20  # bytes


def evidence_path(checkpoint: Path) -> Path:
    """Where the evidence of the save lies."""
    return checkpoint / FOLDER / EVIDENCE


def verified_path(checkpoint: Path) -> Path:
    """The mark of a verified checkpoint, which is written last of all."""
    return checkpoint / FOLDER / VERIFIED


@dataclass(frozen=True, slots=True)
class CheckpointFiles:
    """What lies in the folder, seen without loading anything.

    `problems`: what is incomplete or truncated, by file; `refusals`: what will not be opened (a pickle that
    `weights_only` does not accept, remote code, a link out of the folder), by file.
    """

    path: str
    format: str
    bytes: int
    problems: Mapping[str, str] = field(default_factory=dict)
    refusals: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Weights:
    """The tensors of a model: digest, dtype and shape by name, one entry for each name in the state dict.

    `dtypes` are those that the digests are over: the narrower of the file's and the model's, since a bfloat16
    file may load as float32. `ties` are the groups of names that share storage. `missing`, `unexpected` and
    `mismatched` are what from_pretrained reported; empty at save time.
    """

    digests: Mapping[str, str]
    dtypes: Mapping[str, str]
    shapes: Mapping[str, tuple[int, ...]]
    ties: tuple[tuple[str, ...], ...] = ()
    not_finite: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    mismatched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Forward:
    """One forward pass over the fixed probe batch, in evaluation mode.

    `logits_digest` is over the float32 bytes. `max_difference` is the largest absolute difference to the
    logits that were kept at save time; None at save time itself, or where none were kept.
    """

    loss: float
    logits_digest: str
    dtype: str
    device: str
    max_difference: float | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """Lines that the model translated greedily, without settings that mask a loop.

    `settings` are the generation parameters that were set; `bleu` is against `reference`, where there is one.
    """

    source: tuple[str, ...]
    output: tuple[str, ...]
    settings: Mapping[str, Json]
    reference: tuple[str, ...] = ()
    language: str | None = None
    bleu: Metric | None = None


@dataclass(frozen=True, slots=True)
class TokenizerFacts:
    """How a tokenizer behaves: ids of fixed sentences, special ids by role, language codes to ids."""

    name: str
    size: int
    ids: Mapping[str, tuple[int, ...]]
    special: Mapping[str, int | None]
    codes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Effective:
    """The configuration that really holds, resolved, as JSON: model, generation, tokenizer, training."""

    model: Mapping[str, Json]
    generation: Mapping[str, Json]
    tokenizer: Mapping[str, Json] = field(default_factory=dict)
    training: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a checkpoint says it comes from, or where its run says its checkpoints are.

    `step` is global_step as the evidence of the save has it, `folder_step` the one in the folder's name,
    `state_step` the one in trainer_state.json; `unreadable` says why that file could not be read. Times are
    UTC ISO 8601. `environment` is the digest; `versions` the packages that matter for a reload (torch,
    transformers, tokenizers, safetensors, python).
    """

    run: str | None = None
    step: int | None = None
    folder_step: int | None = None
    state_step: int | None = None
    last_step: int | None = None
    started: str | None = None
    written: str | None = None
    tokenizer_digest: str | None = None
    environment: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    unreadable: str | None = None


@dataclass(frozen=True, slots=True)
class ScoreClaim:
    """A score that somebody states of a checkpoint: `value` as stated, `source` is where (a file, a flag)."""

    metric: str
    value: float
    source: str
    signature: str | None = None


@dataclass(frozen=True, slots=True)
class ScoreClaims:
    """All that is claimed of a checkpoint, and what the same pipeline recorded before (0-100 for BLEU)."""

    claims: tuple[ScoreClaim, ...] = ()
    earlier: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All evidence of one model at one moment. A part is None where it could not be had; `unseen` says why,
    by the name of the part.

    On the expected side only: `last_good` is the BLEU that the newest verified save had when reloaded;
    `owed` says that the run keeps evidence of every save, so that a part that is not there is no pass.
    """

    weights: Weights | None = None
    forward: Forward | None = None
    sample: Sample | None = None
    tokenizer: TokenizerFacts | None = None
    effective: Effective | None = None
    origin: Origin = field(default_factory=Origin)
    unseen: Mapping[str, str] = field(default_factory=dict)
    last_good: Metric | None = None
    owed: bool = False


# --- JSON -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Kept:
    """What a checkpoint's folder keeps of its save. `recipe` says how the same is asked again."""

    snapshot: Snapshot
    time: str
    recipe: Mapping[str, Json] = field(default_factory=dict)
    v: int = VERSION


def to_json(snapshot: Snapshot) -> dict[str, Json]:
    """The snapshot as plain values."""
    return asdict(snapshot)


def from_json(data: Json) -> Snapshot:
    """The inverse of `to_json`; what a newer version added is passed over.

    Raises LedgerError when something is missing or is of another type.
    """
    snapshot: Snapshot = _parse("Snapshot", data)
    return snapshot


def files_from_json(data: Json) -> CheckpointFiles:
    """The worker's look at a folder."""
    files: CheckpointFiles = _parse("CheckpointFiles", data)
    return files


def sample_from_json(data: Json) -> Sample:
    """A sample on its own."""
    sample: Sample = _parse("Sample", data)
    return sample


def read_evidence(checkpoint: Path) -> Kept | None:
    """The evidence of the save; None where none was kept.

    Raises LedgerError when the file is damaged: a checkpoint with such evidence is not one without.
    """
    import orjson

    path = evidence_path(checkpoint)
    try:
        kept: Kept = _parse("Kept", orjson.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, orjson.JSONDecodeError) as error:
        raise LedgerError(f"{path} cannot be read: {error}", hint=NO_EVIDENCE) from error
    return kept


NO_EVIDENCE = "restore it, or remove the folder `ledger` in the checkpoint to verify it without evidence"


@cache
def _adapter(name: str) -> "TypeAdapter[Any]":
    from pydantic import TypeAdapter

    return TypeAdapter(globals()[name])


def _parse(name: str, data: Json) -> Any:
    from pydantic import ValidationError

    try:
        return _adapter(name).validate_python(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise LedgerError(
            f"this is no evidence of a checkpoint: {where}: {first['msg']}", hint=NO_EVIDENCE
        ) from error


# --- marks ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mark:
    """That a checkpoint was reloaded and passed. `files` is the digest of what was verified, `entry` the id
    of the journal's entry, None where there was no journal."""

    files: str
    verdict: str
    time: str
    entry: str | None = None
    environment: str | None = None
    bleu: Metric | None = None
    v: int = VERSION


def list_checkpoints(folder: Path) -> list[Path]:
    """The folders `checkpoint-<step>` in `folder`, by step, the last one last."""
    found = [
        (int(match[1]), path)
        for path in folder.glob("checkpoint-*")
        if (match := CHECKPOINT.fullmatch(path.name)) and path.is_dir()
    ]
    return [path for _, path in sorted(found)]


def digest_files(checkpoint: Path) -> str:
    """One digest over the names, sizes and contents of a checkpoint's files, the ledger's own left out.

    The optimizer's state and its like count by name and size. Of the others a file's digest is over those of
    its pieces of 4 MiB, which threads share: one large file keeps all cores busy. Raises OSError when one
    cannot be read.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        rows = "".join(_row(path, checkpoint, pool) for path in sorted(files_of(checkpoint)))
    return f"sha256:{hashlib.sha256(rows.encode('utf-8', 'surrogateescape')).hexdigest()}"


def write_mark(checkpoint: Path, mark: Mark) -> None:
    """Mark a checkpoint, in one step. Raises LedgerError when it cannot be written."""
    import orjson

    from ledger.utils.textfiles import write_lines_atomically

    path = verified_path(checkpoint)
    path.parent.mkdir(exist_ok=True)
    write_lines_atomically(path, [orjson.dumps(mark).decode()])


def read_mark(checkpoint: Path) -> Mark | None:
    """The mark, if there is one and the files are still those that were verified."""
    mark = stated_mark(checkpoint)
    try:
        holds = mark is not None and mark.verdict == "pass" and mark.files == digest_files(checkpoint)
    except OSError:
        return None
    return mark if holds else None


def stated_mark(checkpoint: Path) -> Mark | None:
    """What the mark says, whether or not the files are still those; None where there is none to read."""
    import orjson

    try:
        mark: Mark = _parse("Mark", orjson.loads(verified_path(checkpoint).read_bytes()))
    except (OSError, orjson.JSONDecodeError, LedgerError):
        return None
    return mark


def newest_verified(folder: Path) -> Path | None:
    """The checkpoint of the highest step in `folder` whose mark holds."""
    return next((path for path in reversed(list_checkpoints(folder)) if read_mark(path)), None)


def files_of(checkpoint: Path) -> Iterator[Path]:
    """Every file of a checkpoint, the ledger's own left out, and checkpoints that lie inside it."""
    for path in checkpoint.glob("*"):
        if path.is_file():
            yield path
        elif path.name != FOLDER and not CHECKPOINT.fullmatch(path.name):
            yield from (below for below in path.rglob("*") if below.is_file())


def _row(path: Path, checkpoint: Path, pool: ThreadPoolExecutor) -> str:
    size = path.stat().st_size
    content = "" if RESUME_ONLY.fullmatch(path.name) else _digest_pieces(path, pool)
    return f"{path.relative_to(checkpoint)}\t{size}\t{content}\n"


def _digest_pieces(path: Path, pool: ThreadPoolExecutor) -> str:
    with path.open("rb", buffering=0) as file:
        number, size = file.fileno(), os.fstat(file.fileno()).st_size
        pieces = pool.map(
            lambda at: hashlib.sha256(os.pread(number, PIECE, at)).digest(), range(0, size, PIECE)
        )
        return hashlib.sha256(b"".join(pieces)).hexdigest()
