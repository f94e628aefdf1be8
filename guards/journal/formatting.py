"""How a journal guard names its lines: the first in words, the first few as evidence, all of them counted."""

from collections.abc import Mapping, Sequence

from ledger.evidence.journal import JournalLine
from ledger.findings import Finding, Json, Severity

SHOWN = 20


def bad_lines(
    code: str,
    lines: Sequence[JournalLine],
    message: str,
    severity: Severity = Severity.ERROR,
    **evidence: Json,
) -> Finding:
    """One finding for `lines` (at least one), whose first `message` describes."""
    more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
    facts: Mapping[str, Json] = {
        "line": lines[0].number,
        "id": lines[0].id or None,
        "lines": [line.number for line in lines[:SHOWN]],
        **evidence,
    }
    return Finding(code, severity, message + more, measured=len(lines), threshold=0, evidence=facts)
