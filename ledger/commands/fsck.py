"""`ledger fsck`: both journals, checked by the journal guards."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from guards.guard import inspect
from guards.journal import GUARDS
from ledger.evidence import Evidence
from ledger.findings import Finding, Report, Severity, Verdict, merge
from ledger.journal import audit, text_form
from ledger.journal.runs import read_runs
from ledger.journal.store import Journal, open_journal
from ledger.workspace import Workspace


@dataclass(frozen=True, slots=True)
class CheckedJournal:
    """One journal after its inspection."""

    path: Path
    entries: int
    runs: int | None  # not counted where an error was found
    report: Report

    @property
    def first_bad(self) -> Finding | None:
        """The error on the earliest line of the file."""
        errors = [f for f in self.report.findings if f.severity >= Severity.ERROR]
        return min(errors, key=lambda finding: int(finding.evidence["line"]), default=None)


def together(checked: Sequence[CheckedJournal]) -> Report:
    """One report on all journals; a guard passed where it passed on each."""
    total = merge(one.report for one in checked)
    passed = [code for code in dict.fromkeys(total.passed) if all(code in c.report.passed for c in checked)]
    return replace(total, passed=tuple(passed))


def check_journals(workspace: Workspace) -> list[CheckedJournal]:
    """Inspect the committed journal and the rehearsals'; one that does not exist is empty."""
    return [
        check_journal(open_journal(workspace, "real"), workspace.root),
        check_journal(open_journal(workspace, "rehearsal"), None),
    ]


def check_journal(journal: Journal, root: Path | None) -> CheckedJournal:
    """Inspect one journal, and count its runs."""
    report, entries = inspect_journal(journal, root)
    sound = report.verdict is not Verdict.FAIL
    runs = len(read_runs(journal.entries())) if sound else None
    return CheckedJournal(journal.path, entries, runs, report)


def inspect_journal(journal: Journal, root: Path | None) -> tuple[Report, int]:
    """The guards' report and the number of lines. The journal is locked while it is read.

    `root` is the repository that it is committed to, if any.
    """
    with journal.undisturbed():
        data = journal.read()
        if what := text_form.problem(data):
            raise text_form.error(journal.path, what)
        lines = audit.read_lines(data)
        expected = audit.expected_heads(journal, data, lines, root)
    return inspect(GUARDS, Evidence(expected), Evidence(lines)), len(lines.lines)
