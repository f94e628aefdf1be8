"""How the guards of this family put many differences into one finding: counted, the first few by name."""

from collections.abc import Iterator, Sequence

from ledger.evidence.suspects import Suspect
from ledger.findings import Finding, Json, Severity

MOST_NAMED = 4


def finding_of(code: str, what: str, found: Sequence[Suspect]) -> Iterator[Finding]:
    """One error for those that are hard, or nothing where none is."""
    hard = [one for one in found if one.hard]
    if hard:
        facts = {"differences": [one.to_json() for one in hard]}
        message = f"{len(hard)} {what} differ: {named(hard)}"
        yield Finding(code, Severity.ERROR, message, measured=len(hard), threshold=0, evidence=facts)


def named(found: Sequence[Suspect]) -> str:
    """The first few with both values, and how many more there are."""
    shown = ", ".join(f"{one.name} {_text(one.before)} -> {_text(one.after)}" for one in found[:MOST_NAMED])
    more = len(found) - MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown


def _text(value: Json) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
