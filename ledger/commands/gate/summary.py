"""The gate's result as Markdown: GitHub's job summary, or any file."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from ledger.commands.gate.context import Checked
from ledger.commands.gate.gate import Gate
from ledger.findings import Severity
from ledger.outputs import append_output, write_output
from ledger.utils.escape import escaped

WORDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def write_summary(gate: Gate, path: Path, *, append: bool = False) -> None:
    """Write the summary, or append it to those of other steps. Raises LedgerError if that fails."""
    (append_output if append else write_output)(path, summary(gate).encode())


def summary(gate: Gate) -> str:
    """The whole summary."""
    return "\n".join([*_lines(gate), ""])


def _lines(gate: Gate) -> Iterator[str]:
    yield f"## ledger gate: {gate.report.verdict}"
    yield f"\nAgainst {escaped(gate.base.name)} (`{gate.base.tree[:12]}`).\n"
    checks = [(check.name, check.status, check.about) for check in gate.checks]
    yield from _table(("check", "", "details"), checks)
    for check in gate.checks:
        yield from _details(check)


def _details(check: Checked) -> Iterator[str]:
    report = check.report
    rows = [
        (f.code, "accepted" if f.accepted else WORDS[f.severity], _with_reason(f.message, f.accepted))
        for f in sorted(report.findings, key=lambda f: -f.severity)
    ]
    rows += [(skip.code, "skipped", skip.reason) for skip in report.skips]
    if not rows and not check.tables:
        return
    yield f"\n### {check.name}\n"
    if rows:
        yield from _table(("code", "", "message"), rows)
    for table in check.tables:
        yield f"\n{escaped(table.title)}\n"
        yield from _table(table.headings, table.rows)


def _with_reason(message: str, accepted: str | None) -> str:
    return f"{message} (accepted: {accepted})" if accepted else message


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(headings)} |"
    yield f"|{'---|' * len(headings)}"
    for row in rows:
        yield f"| {' | '.join(map(escaped, row))} |"
