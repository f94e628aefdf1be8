"""`ledger gate`: every check on the work tree against a base, and what they amount to."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

from ledger.commands.gate import (
    document_claims,
    duplicate_outputs,
    journal,
    lockfiles,
    open_findings,
    scores,
    specs,
)
from ledger.commands.gate.context import Checked, GateContext, open_scene
from ledger.commands.reporter import Reporter
from ledger.findings import Json, Report, merge
from ledger.git.history import Base
from ledger.workspace import Workspace

Check = Callable[[GateContext], Checked]

# In this order: what a broken journal makes pointless comes after the journal.
CHECKS: tuple[Check, ...] = (
    journal.check,
    specs.check,
    lockfiles.check,
    scores.check,
    duplicate_outputs.check,
    open_findings.check,
    document_claims.check,
)


@dataclass(frozen=True, slots=True)
class Gate:
    """The answer: against what, and every check."""

    base: Base
    checks: tuple[Checked, ...]

    @property
    def report(self) -> Report:
        """All the checks' reports as one."""
        return merge(check.report for check in self.checks)

    def to_json(self) -> dict[str, Json]:
        """The document of `--json`."""
        return {
            "base": {"commit": self.base.tree, "name": self.base.name},
            "checks": [_row(check) for check in self.checks],
            **self.report.to_json(),
        }


def run_gate(workspace: Workspace, ref: str | None, voice: Reporter, *, rehearse: bool) -> Gate:
    """Make every check. Raises UsageError or LedgerError where the base cannot be had."""
    with open_scene(workspace, ref, voice, rehearse=rehearse) as scene:
        return Gate(scene.base, tuple(check(scene) for check in CHECKS))


def _row(check: Checked) -> dict[str, Json]:
    return {
        "name": check.name,
        "status": check.status,
        "about": check.about,
        "findings": [finding.code for finding in check.report.findings],
        "skips": [skip.code for skip in check.report.skips],
        "tables": [asdict(table) for table in check.tables],
    }
