"""The finding of a journal guard: a message on the first line, the first few line numbers, and the count."""

from collections.abc import Mapping, Sequence

from ledger.evidence.journal import JournalLine
from ledger.findings import Finding, Json, Severity
from ledger.utils.plural import besides_first

SHOWN = 20


def bad_lines(
    code: str,
    lines: Sequence[JournalLine],
    message: str,
    severity: Severity = Severity.ERROR,
    **evidence: Json,
) -> Finding:
    """One finding for all `lines` (at least one); `message` describes the first."""
    facts: Mapping[str, Json] = {
        "line": lines[0].number,
        "id": lines[0].id or None,
        "lines": [line.number for line in lines[:SHOWN]],
        **evidence,
    }
    message += besides_first(lines)
    return Finding(code, severity, message, measured=len(lines), threshold=0, evidence=facts)
