"""The readers, in the order in which they are tried on a source."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Protocol, cast

from ledger.errors import LedgerError, UsageError
from ledger.evidence.imported_claims import Claimed
from ledger.importers import (
    dvclive,
    fairseq_marian,
    huggingface,
    lightning,
    lm_eval,
    markdown_log,
    mlflow_store,
    sacred,
    tables,
    tensorboard,
    trackio,
    wandb,
)


class Reader(Protocol):
    """The interface of a reader module."""

    KIND: str

    def matches(self, path: Path, /) -> bool:
        """Whether the source looks like this reader's kind; must be cheap."""
        ...

    def read(self, path: Path, /) -> Claimed:
        """Everything that the source claims. Raises LedgerError if nothing can be read."""
        ...


# A Trainer's folder may contain W&B's and TensorBoard's, so the reader of the outer folder is tried first. A
# log of fairseq may be a text file, so it is tried before the logs that people write.
_MODULES: tuple[ModuleType, ...] = (
    *(fairseq_marian, markdown_log, huggingface, mlflow_store, trackio, lightning, wandb, tensorboard),
    *(lm_eval, sacred, dvclive, tables),
)
READERS: dict[str, Reader] = {module.KIND: cast(Reader, module) for module in _MODULES}
# What else people have, by the files that show it: to refuse it by its name.
_UNREAD: Mapping[str, tuple[str, ...]] = {
    "tables without a column that names runs": ("*.csv", "*.tsv", "*.jsonl"),
    "logs of other tools than fairseq and Marian": ("*.log",),
}


def read_source(path: Path, kind: str | None = None) -> Claimed:
    """Read a source as `kind`, or as the first kind that matches.

    Raises LedgerError if it does not exist or cannot be read, UsageError if no reader matches.
    """
    if not path.exists():
        raise LedgerError(f"{path} does not exist", hint="check the name and the folder")
    if kind is not None:
        return READERS[kind].read(path)
    reader = next((one for one in READERS.values() if one.matches(path)), None)
    if reader is None:
        found = next((name for name, patterns in _UNREAD.items() if _has(path, patterns)), None)
        what = f"{found} cannot be imported" if found else "unknown kind of source"
        raise UsageError(
            f"{what}: {path}",
            hint=f"give it with --as {'|'.join(READERS)} if it is one of these, or name what is in it",
        )
    return reader.read(path)


def _has(path: Path, patterns: Sequence[str]) -> bool:
    if path.is_file():
        return any(path.match(pattern) for pattern in patterns)
    return any(True for pattern in patterns for _ in path.glob(pattern))
