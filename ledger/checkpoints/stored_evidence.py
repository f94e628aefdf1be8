"""The evidence that a training process stored in a checkpoint, read back as values."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ledger.checkpoints.folders import evidence_path
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


def read_evidence(checkpoint: Path) -> StoredEvidence | None:
    """The evidence of a checkpoint; None where none was stored.

    Raises LedgerError when the file is damaged: a checkpoint with such evidence is not one without.
    """
    import orjson

    path = evidence_path(checkpoint)
    try:
        return parse(StoredEvidence, orjson.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, orjson.JSONDecodeError) as error:
        raise LedgerError(f"{path} cannot be read: {error}", hint=NO_EVIDENCE) from error


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
