"""The input of an export: one run with everything that is recorded about it."""

from collections.abc import Mapping
from dataclasses import dataclass

from ledger.errors import LedgerError
from ledger.findings import Finding, Json, Severity
from ledger.journal.annotations import Note, Rating
from ledger.journal.run import Run


@dataclass(frozen=True, slots=True)
class Product:
    """The result of a run: an output file, or its newest verified checkpoint. `sha256` in hex digits."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Record:
    """One finished run. `environment` holds the recorded facts of its environment."""

    run: Run
    product: Product | None
    environment: Mapping[str, Json]
    notes: tuple[Note, ...] = ()
    ratings: tuple[Rating, ...] = ()

    @property
    def spec(self) -> Mapping[str, Json]:
        """The resolved spec; empty for a command."""
        return self.run.spec

    @property
    def git(self) -> Mapping[str, Json]:
        """Commit, branch and changed paths at the start of the run."""
        return self.run.git

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings of preflight and of the result."""
        return (*self.run.preflight.findings, *self.run.report.findings)

    def codes(self, least: Severity) -> list[str]:
        """The codes of the unaccepted findings of at least this severity."""
        return sorted({f.code for f in self.findings if f.severity >= least and f.accepted is None})


def need_product(record: Record, why: str) -> Product:
    """The run's product. Raises LedgerError if there is none with a digest."""
    if record.product is None:
        raise LedgerError(
            f"{record.run.id} has no output with a digest, {why}",
            hint="export a finished run with an output, or a training with a verified checkpoint",
        )
    return record.product


def refuse_rehearsal(record: Record, why: str) -> None:
    """Raise LedgerError for a rehearsal: its scores must not be mistaken for the real model's."""
    if record.run.is_rehearsal:
        raise LedgerError(
            f"{record.run.id} is a rehearsal, {why}",
            hint=f"run it for real: ledger run {record.run.experiment}",
        )
