"""The evidence that a training process stored in a checkpoint, read back as values."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast

from annotated_types import Ge, Le, MaxLen

from ledger.checkpoints.folders import evidence_path, read_small
from ledger.errors import LedgerError
from ledger.evidence.snapshot import Snapshot
from ledger.findings import Json

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")
VERSION = 1
NO_EVIDENCE = "restore it, or remove the folder `ledger` in the checkpoint to verify it without evidence"


@dataclass(frozen=True, slots=True)
class StoredEvidence:
    """The content of a checkpoint's evidence file. `recipe` says how to take the same snapshot again."""

    snapshot: Snapshot
    time: str
    recipe: Mapping[str, Json] = field(default_factory=dict)
    v: int = VERSION


_Count = Annotated[int, Le(4096)]
_Row = Annotated[tuple[Annotated[int, Ge(0), Le(2**31)], ...], MaxLen(100_000)]


@dataclass(frozen=True, slots=True)
class _Recipe:
    """The values of a recipe that a reload uses: absurd ones would take all threads or all memory."""

    family: str | None = None
    source_code: str | None = None
    target_code: str | None = None
    attention: str | None = None
    threads: _Count | None = None
    sample_threads: _Count | None = None
    rows: Annotated[tuple[_Row, ...], MaxLen(10_000)] = ()


@dataclass(frozen=True, slots=True)
class _Sample:
    """The same of the sample: its lines and its settings."""

    source: Annotated[tuple[str, ...], MaxLen(10_000)] = ()
    num_beams: _Count | None = None
    num_return_sequences: _Count | None = None
    max_new_tokens: Annotated[int, Le(100_000)] | None = None
    max_length: Annotated[int, Le(1_000_000)] | None = None


def read_evidence(checkpoint: Path) -> StoredEvidence | None:
    """The evidence of a checkpoint; None where none was stored.

    Raises LedgerError when the file is damaged: a checkpoint with such evidence is not one without.
    """
    import orjson

    path = evidence_path(checkpoint)
    try:
        evidence = parse(StoredEvidence, orjson.loads(read_small(path)))
    except FileNotFoundError:
        return None
    except (OSError, orjson.JSONDecodeError) as error:
        raise LedgerError(f"{path} cannot be read: {error}", hint=NO_EVIDENCE) from error
    parse(_Recipe, evidence.recipe)
    if sample := evidence.snapshot.sample:
        parse(_Sample, {"source": sample.source, **sample.settings})
    return evidence


def parse(kind: type[T], data: Json) -> T:
    """A dataclass from its JSON; fields that a newer version added are ignored.

    Raises LedgerError when a field is missing or has the wrong type.
    """
    from pydantic import ValidationError

    adapter = _adapter(cast(Hashable, kind))
    try:
        value: T = adapter.validate_python(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise LedgerError(
            f"this is not the evidence of a checkpoint: {where}: {first['msg']}", hint=NO_EVIDENCE
        ) from error
    return value


@cache
def _adapter(kind: type[Any]) -> "TypeAdapter[Any]":
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
