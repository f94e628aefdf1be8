"""`ledger gate`: runs every check on the work tree against a base, and merges the results."""

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
from ledger.commands.gate.context import Checked, GateContext, open_context
from ledger.commands.reporter import Reporter
from ledger.findings import Json, Report, merge
from ledger.git.history import Base
from ledger.workspace import Workspace

Check = Callable[[GateContext], Checked]

# The journal comes first: most other checks need it.
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
    """The result: the base, and every check."""

    base: Base
    checks: tuple[Checked, ...]

    @property
    def report(self) -> Report:
        """The reports of all checks as one."""
        return merge(check.report for check in self.checks)

    def to_json(self) -> dict[str, Json]:
        """The `--json` document."""
        return {
            "base": {"commit": self.base.tree, "name": self.base.name},
            "checks": [_row(check) for check in self.checks],
            **self.report.to_json(),
        }


def run_gate(workspace: Workspace, ref: str | None, reporter: Reporter, *, rehearse: bool) -> Gate:
    """Run every check. Raises UsageError or LedgerError if the base is not available."""
    with open_context(workspace, ref, reporter, rehearse=rehearse) as context:
        return Gate(context.base, tuple(check(context) for check in CHECKS))


def _row(check: Checked) -> dict[str, Json]:
    return {
        "name": check.name,
        "status": check.status,
        "about": check.about,
        "findings": [finding.code for finding in check.report.findings],
        "skips": [skip.code for skip in check.report.skips],
        "tables": [asdict(table) for table in check.tables],
    }
