"""What output, source and references have in common, line by line: texts that no score can be taken from."""

import re
from collections.abc import Callable, Iterable, Sequence

from ledger.evidence.scores import GivenTexts

_TOKENIZED = re.compile(r"\S \.\s*$")


def given_texts(
    output: Sequence[str], source: Sequence[str] | None, references: Sequence[Sequence[str]]
) -> GivenTexts:
    """Counts over texts of equal length. A line that is blank on both sides is not a common line."""
    first = references[0] if references else None
    return GivenTexts(
        lines=len(output),
        blank_reference=_count(not any(map(str.strip, line)) for line in zip(*references, strict=True))
        if references
        else None,
        reference_is_source=max((_equal(one, source) for one in references), default=0)
        if source is not None
        else None,
        output_is_source=_equal(output, source) if source is not None else None,
        output_is_reference=max((_equal(output, one) for one in references), default=None),
        tabs=_both(first, output, lambda line: "\t" in line),
        tokenized=_both(first, output, lambda line: _TOKENIZED.search(line) is not None),
    )


def _count(found: Iterable[bool]) -> int:
    return sum(found)


def _equal(one: Sequence[str], other: Sequence[str]) -> int:
    pairs = zip(one, other, strict=True)
    return _count(bool(a.strip()) and a.strip() == b.strip() for a, b in pairs)


def _both(
    reference: Sequence[str] | None, output: Sequence[str], has: Callable[[str], bool]
) -> tuple[int, int]:
    return (0, 0) if reference is None else (_count(map(has, reference)), _count(map(has, output)))
