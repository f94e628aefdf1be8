"""`ledger gate`: runs every check on the work tree against a base, and merges the results."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field

from ledger.commands.gate import (
    document_claims,
    duplicate_outputs,
    journal,
    lockfiles,
    open_findings,
    scores,
    specs,
)
from ledger.commands.gate.context import Checked, GateContext, open_context, unreadable
from ledger.commands.reporter import Reporter
from ledger.findings import Json, Report, merge
from ledger.git.history import Base
from ledger.git.pushes import Push
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
    """The result: the base, and every check; the file and line of each finding by its message."""

    base: Base
    checks: tuple[Checked, ...]
    places: Mapping[str, tuple[str, int]] = field(default_factory=dict)

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


def run_gate(
    workspace: Workspace, ref: str | None, reporter: Reporter, *, rehearse: bool, push: Push | None = None
) -> Gate:
    """Run every check; on the default branch, on all commits of the push.

    Raises UsageError or LedgerError if the base is not available.
    """
    with open_context(workspace, ref, reporter, rehearse=rehearse, push=push) as context:
        checks = tuple(check(context) for check in CHECKS)
        findings = [finding for check in checks for finding in check.report.findings]
        readable = unreadable(context) is None
        places = {
            one.message: context.place(one) for one in findings if readable or "run" not in one.evidence
        }
        return Gate(context.base, checks, places)


def _row(check: Checked) -> dict[str, Json]:
    return {
        "name": check.name,
        "status": check.status,
        "about": check.about,
        "findings": [finding.code for finding in check.report.findings],
        "skips": [skip.code for skip in check.report.skips],
        "tables": [asdict(table) for table in check.tables],
    }
