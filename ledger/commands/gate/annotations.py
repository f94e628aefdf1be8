"""GitHub's annotations: findings of the gate as workflow commands, shown at the lines that they are about.

The format is that of "Workflow commands for GitHub Actions": a message cannot contain a raw `%` or line end,
a property neither these nor `:` and `,`.
"""

from collections.abc import Iterator
from pathlib import PurePosixPath

from ledger.commands.gate.gate import Gate
from ledger.findings import Severity

LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def annotations(gate: Gate, prefix: str = "") -> Iterator[str]:
    """One line for each finding that nobody accepted, errors first, and one for each skip.

    `prefix` is the folder of the workspace in the repository, since GitHub wants paths from there.
    """
    for finding in sorted(gate.report.findings, key=lambda one: -one.severity):
        if finding.accepted is None:
            path, line = gate.places.get(finding.message, ("", 0))
            where = {"file": str(PurePosixPath(prefix, path)), "line": str(line)} if path else {}
            yield _command(LEVELS[finding.severity], finding.message, {**where, "title": finding.code})
    for skip in gate.report.skips:
        yield _command("notice", f"skipped: {skip.reason}", {"title": skip.code})


def _command(level: str, message: str, properties: dict[str, str]) -> str:
    stated = ",".join(f"{key}={_escaped(value, ':,')}" for key, value in properties.items())
    return f"::{level} {stated}::{_escaped(message)}"


def _escaped(text: str, more: str = "") -> str:
    for character in ("%", "\r", "\n", *more):
        text = text.replace(character, f"%{ord(character):02X}")
    return text
