"""The check that the guards on two environments share: one finding for many differences."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from ledger.evidence.environment import EnvironmentSide
from ledger.evidence.suspects import Suspect
from ledger.findings import Finding, Json, Severity, Skip
from ledger.utils.plural import and_more, count
from ledger.utils.text import shorten

MOST_NAMED = 4
LONGEST_VALUE = 40


def inspect_part(
    code: str,
    where: str,
    part: str,
    compare: Callable[[EnvironmentSide, EnvironmentSide], Iterable[Suspect]],
    sides: tuple[EnvironmentSide, EnvironmentSide],
) -> Iterator[Finding | Skip]:
    """One error with all hard differences that `compare` returns; a skip if a side does not know the part."""
    unknown = next((side for side in sides if not side.knows(part)), None)
    if unknown is not None:
        yield Skip(code, unknown.why_unknown(part))
        return
    hard = [suspect for suspect in compare(*sides) if suspect.hard]
    if hard:
        yield differ(code, Severity.ERROR, f"{count(len(hard), 'difference')} in {where}", hard)


def differ(code: str, severity: Severity, summary: str, suspects: Sequence[Suspect]) -> Finding:
    """The finding for at least one difference: a summary, then the first few with both values."""
    names = [f"{one.name} {_text(one.before)} -> {_text(one.after)}" for one in suspects]
    facts = {"differences": [one.to_json() for one in suspects]}
    message = f"{summary}: {and_more(names, MOST_NAMED)}"
    return Finding(code, severity, message, measured=len(suspects), threshold=0, evidence=facts)


def _text(value: Json) -> str:
    return "none" if value is None else shorten(str(value), LONGEST_VALUE)
