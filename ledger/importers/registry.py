"""The readers there are, in the order in which a source is tried."""

from pathlib import Path
from types import ModuleType
from typing import Protocol, cast

from ledger.errors import LedgerError, UsageError
from ledger.evidence.imported_claims import Claimed
from ledger.importers import huggingface, lightning, markdown_log, mlflow_store, wandb


class Reader(Protocol):
    """The shape of a reader module."""

    KIND: str

    def matches(self, path: Path, /) -> bool:
        """Whether the source looks like this reader's, at little cost."""
        ...

    def read(self, path: Path, /) -> Claimed:
        """Everything that the source claims. Raises LedgerError where nothing can be read."""
        ...


# A Trainer's folder may hold W&B's inside it, so the outer one is tried first; given itself, each is clear.
_MODULES: tuple[ModuleType, ...] = (markdown_log, huggingface, mlflow_store, lightning, wandb)
READERS: dict[str, Reader] = {module.KIND: cast(Reader, module) for module in _MODULES}


def read_source(path: Path, kind: str | None = None) -> Claimed:
    """What the source claims, read as `kind` or as what it looks like.

    Raises LedgerError where it is not there or cannot be read, UsageError where nothing tells what it is.
    """
    if not path.exists():
        raise LedgerError(f"there is nothing at {path}", hint="check the name and the folder")
    if kind is not None:
        return READERS[kind].read(path)
    reader = next((one for one in READERS.values() if one.matches(path)), None)
    if reader is None:
        raise UsageError(
            f"nothing tells what wrote {path}",
            hint=f"say it with --as {'|'.join(READERS)}, or name a folder inside it",
        )
    return reader.read(path)
