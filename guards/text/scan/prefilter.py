"""The fast path: the findings of the plain rules on many lines, at a fraction of the cost.

Every rule has a *necessary condition* that is cheap to evaluate on a whole chunk of lines: every line that
the rule flags meets it. The plain rule then decides on the few lines that do, so the findings are those of
the plain rules. Each condition's docstring says why it is necessary.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from guards.text import (
    contamination,
    copied,
    empty,
    failed,
    length_ratio,
    model_talk,
    off_target,
    other_language,
    punctuation,
    repetition,
    unfinished,
)
from guards.text.measures import mojibake
from guards.text.measures.joined import Places
from guards.text.measures.words import MACHINE_TRACE, OTHER_LETTER
from guards.text.scan.loops import may_repeat
from guards.text.scan.rules import EXCLUSIVE, TOGETHER
from guards.text.scan.view import (
    FOLLOWER,
    FOREIGN,
    HINT,
    INITIAL,
    KANA,
    LEAD,
    OWN,
    RARE,
    SPACE,
    STRANGE,
    THIRD,
    WORD,
    Flags,
    View,
    widths,
)

QUOTES = np.array([ord(char) for char in unfinished.QUOTES])


def flagged(view: View) -> dict[str, list[int]]:
    """The indices of the lines that each rule flags, in order: the same as `rules.flagged_plainly`."""
    hits = {code: _hits(code, view) for code in view.rules.by_code}
    claimed: set[int] = set()
    for code in EXCLUSIVE:
        if code in hits:
            hits[code] -= claimed
            claimed |= hits[code]
    for code in TOGETHER:
        if code in hits:
            hits[code] -= claimed
    return {code: sorted(indices) for code, indices in hits.items()}


def _hits(code: str, view: View) -> set[int]:
    rule, outputs, source = view.rules.by_code[code], view.chunk.outputs, view.chunk.source
    return {i for i in set(CANDIDATES[code](view)) if rule(outputs[i], source(i))}


# --- necessary conditions: the indices of the lines that a rule may flag ------------------------------


def _may_hold_marker(view: View) -> Iterator[int]:
    return _lines_with(view.rules.markers, view, view.outputs.text)


def _lines_with(parts: Iterable[str], view: View, text: str) -> Iterator[int]:
    """The lines that hold one of the parts in `text`, which is laid out as the outputs are."""
    starts = view.outputs.starts.tolist()
    ends = view.outputs.ends.tolist()
    for part in parts:
        place = text.find(part)
        while place >= 0:
            line = bisect_right(starts, place) - 1
            yield line
            place = text.find(part, ends[line])


def _wordless(view: View) -> list[int]:
    """No letter and no digit, which includes every blank line."""
    return np.flatnonzero(~view.has(WORD)).tolist()


def _may_be_contaminated(view: View) -> Iterator[int]:
    """A foreign word of two letters, unless all of these in the line are ASCII and copied from the source."""
    return (line for line, letters in view.unknown_words.items() if max(letters) > 1)


def _may_be_off_target(view: View) -> list[int]:
    """Foreign letters outnumber the script's own, or a Japanese line of ten letters has no kana.

    The rule leaves words out of the count, which can only lower the number of foreign letters. It does so
    with all that are copied, unless the source is in Latin letters, or other code is cut out of the words.
    """
    own, foreign = view.count(OWN), view.count(FOREIGN)
    kanaless = np.zeros(len(own), dtype=bool)
    if view.rules.script and view.rules.script.needs_kana:
        kanaless = ~view.has(KANA)
    sources = view.chunk.sources
    unknown = foreign
    if sources is not None:
        unknown = np.zeros_like(foreign)
        for line, letters in view.unknown_words.items():
            unknown[line] = sum(letters)
    certain = _mostly_foreign(own, unknown, kanaless)
    return np.flatnonzero(certain).tolist() + [
        line
        for line in np.flatnonzero(_mostly_foreign(own, foreign, kanaless) & ~certain).tolist()
        if sources
        and (MACHINE_TRACE.search(view.chunk.outputs[line]) or not OTHER_LETTER.search(sources[line]))
    ]


def _mostly_foreign(own: Places, foreign: Places, kanaless: Flags) -> Flags:
    flags: Flags = (foreign > own) | (kanaless & (own + foreign >= off_target.KANA_EXPECTED_FROM))
    return flags


def _may_be_out_of_length(view: View) -> list[int]:
    """Widths differ by more than the ratio; a character beyond the basic plane has one column or two."""
    if view.sources is None:
        return []
    (least, most), (source_least, source_most) = widths(view.outputs), widths(view.sources)
    suspects = np.zeros(len(least), dtype=bool)
    for longer, shorter in ((most, source_least), (source_most, least)):
        suspects |= (longer > length_ratio.MAX_RATIO * shorter) & (
            longer - shorter > length_ratio.MIN_DIFFERENCE
        )
    return np.flatnonzero(suspects).tolist()


def _may_be_unfinished(view: View) -> Iterator[int]:
    """A trace of a mark, white space at an end, or a number or quotation mark at the beginning.

    A run of wrongly decoded characters begins with a lead byte's and another byte's. A line of ideographs
    with spaces between has as many spaces as letters, of which five pairs are enough.
    """
    outputs, source, joined = view.chunk.outputs, view.chunk.source, view.outputs
    for line in np.flatnonzero(view.has(HINT)).tolist():
        if unfinished.TRACE.search(outputs[line]):
            yield line
    for line in np.flatnonzero(view.first(INITIAL) & ~_begins_like_source(view)).tolist():
        if unfinished.is_numbered(outputs[line], source(line)) or unfinished.QUOTED.fullmatch(outputs[line]):
            yield line
    last = joined.codes[joined.ends - 1]
    padded = view.first(SPACE) | (last == ord(" ")) | (last == ord("\n"))
    yield from np.flatnonzero(padded & (joined.sizes > 1)).tolist()
    yield from np.flatnonzero(view.has(RARE)).tolist()
    places = np.flatnonzero((view.kinds[:-1] & LEAD != 0) & (view.kinds[1:] & FOLLOWER != 0))
    before = joined.codes[places - 1]
    for place in places[(before < 0x80) | (before == 0xFFFD)].tolist():
        run = mojibake.RUN.match(joined.text, place)
        if run and mojibake.is_recoded(run[0]):
            yield bisect_right(joined.starts, place) - 1
    spaces = np.flatnonzero(view.kinds & SPACE)
    yield from joined.lines_at(spaces[:-4][spaces[4:] - spaces[:-4] == 8]).tolist()
    yield from (line for line, text in enumerate(outputs) if text in unfinished.NOTHING)
    yield from _lines_with([unfinished.TRACEBACK], view, joined.text)


def _begins_like_source(view: View) -> Flags:
    """Whether a line begins with the quotation mark, or the number of up to three digits, of its source."""
    output, source = view.outputs, view.sources
    if source is None:
        return np.zeros(len(output.starts), dtype=bool)
    begins = np.isin(output.codes[output.starts], QUOTES)
    alike = np.ones_like(begins)
    for place in range(4):
        here = output.starts + place
        if place:
            begins |= alike & (view.kinds.take(here, mode="clip") & INITIAL == 0)
        alike &= output.codes.take(here, mode="clip") == source.codes.take(source.starts + place, mode="clip")
        if not place:
            begins &= alike
    return begins


def _may_be_copied(view: View) -> Iterator[int]:
    """The same letters as the source, a pair of letters of a third script, or a part of a long source.

    A copied part has 32 characters, so it holds one of the source's parts of 16 characters whole.
    """
    if view.prints:
        yield from np.flatnonzero(view.prints[0] == view.prints[1]).tolist()
    yield from view.with_pair(THIRD).tolist()
    outputs, sources = view.chunk.outputs, view.chunk.sources or ()
    for line in np.flatnonzero(view.outputs.sizes >= copied.MIN_RUN).tolist():
        if len(sources[line]) >= copied.MIN_RUN and copied.shares_a_part(outputs[line], sources[line]):
            yield line


def _with_strange_characters(view: View) -> list[int]:
    return np.flatnonzero(view.has(STRANGE)).tolist()


def _may_talk(view: View) -> Iterator[int]:
    """A root of a phrase in the line."""
    lower = view.outputs.text.lower()
    if len(lower) == len(view.outputs.text):
        return _lines_with(model_talk.ROOTS, view, lower)
    return (i for i, text in enumerate(view.chunk.outputs) if model_talk.may_be_flagged(text.lower()))


CANDIDATES: Mapping[str, Callable[[View], Iterable[int]]] = {
    failed.CODE: _may_hold_marker,
    empty.CODE: _wordless,
    repetition.CODE: may_repeat,
    punctuation.CODE: _wordless,
    off_target.CODE: _may_be_off_target,
    contamination.CODE: _may_be_contaminated,
    length_ratio.CODE: _may_be_out_of_length,
    copied.CODE: _may_be_copied,
    unfinished.CODE: _may_be_unfinished,
    other_language.CODE: _with_strange_characters,
    model_talk.CODE: _may_talk,
}
