"""The fast path: the findings of the plain rules on many lines, at a fraction of the cost.

Every rule has a *necessary condition* that is cheap to evaluate on a whole chunk of lines: every line that
the rule flags meets it. The plain rule then decides on the few lines that do, so the findings are those of
the plain rules. Each condition's docstring says why it is necessary.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from guards.text import (
    contamination,
    copied,
    empty,
    failed,
    length_ratio,
    model_talk,
    off_target,
    punctuation,
    repetition,
    unfinished,
)
from guards.text.measures.chunk import Chunk
from guards.text.measures.fingerprints import fingerprints
from guards.text.measures.mojibake import FOLLOWERS, LEADS, RARE_IDEOGRAPHS
from guards.text.measures.scripts import Script
from guards.text.scan.rules import EXCLUSIVE, TOGETHER, Rules

# Character classes, as bits.
WORD, OWN, FOREIGN, KANA, SPACE, HINT, LEAD, FOLLOWER = (np.uint8(1 << bit) for bit in range(8))
TABLE_SIZE = 0x10000
SPACE_CODE = ord(" ")

FIRST_CODES = np.array([ord(char) for char in unfinished.FIRST])
LONGEST_UNIT = 101  # of OpusFilter's pattern, \S.{2,100}

Codes = npt.NDArray[np.uint32]
Kinds = npt.NDArray[np.uint8]
Places = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class View:
    """A chunk as arrays: its lines joined in `text`, each ended by a line feed.

    `codes` and `kinds` have one element per character; `starts` has the index of each line's first one.
    """

    chunk: Chunk
    rules: Rules
    text: str
    codes: Codes
    kinds: Kinds
    starts: Places

    @classmethod
    def of(cls, chunk: Chunk, rules: Rules) -> "View":
        """Lay out a chunk of at least one line."""
        text = "\n".join(chunk.outputs) + "\n"
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
        starts = np.array([0, *accumulate(len(line) + 1 for line in chunk.outputs[:-1])])
        kinds = _kinds(rules.script)[np.minimum(codes, TABLE_SIZE - 1)]
        return cls(chunk, rules, text, codes, kinds, starts)

    def lacks(self, kind: np.uint8) -> Flags:
        """For each line, whether no character is of the kind."""
        lacking: Flags = np.bitwise_or.reduceat(self.kinds, self.starts) & kind == 0
        return lacking

    def has_pair(self, kind: np.uint8) -> Flags:
        """For each line, whether two consecutive characters are of the kind."""
        pairs = self.kinds & kind
        pairs[:-1] &= pairs[1:]
        having: Flags = np.bitwise_or.reduceat(pairs, self.starts) != 0
        return having

    def count(self, kind: np.uint8) -> Places:
        """For each line, the number of characters of the kind."""
        return np.add.reduceat((self.kinds & kind != 0).astype(np.intp), self.starts)


@lru_cache(maxsize=8)
def _kinds(script: Script | None) -> Kinds:
    """The bits of every character of the Basic Multilingual Plane.

    The last entry is for all characters beyond it: only foreign, which keeps every condition necessary.
    """
    plane = "".join(map(chr, range(TABLE_SIZE - 1)))
    patterns = {WORD: punctuation.WORD_CHARACTER}
    if script:
        patterns |= {OWN: script.letter, FOREIGN: script.foreign}
    table = np.zeros(TABLE_SIZE, dtype=np.uint8)
    for bit, pattern in patterns.items():
        table[[ord(char) for char in pattern.findall(plane)]] |= bit
    table[[ord(char) for char in off_target.KANA]] |= KANA
    table[SPACE_CODE] |= SPACE
    for bit, characters in ((HINT, unfinished.HINTS + RARE_IDEOGRAPHS), (LEAD, LEADS), (FOLLOWER, FOLLOWERS)):
        table[[ord(char) for char in characters]] |= bit
    table[-1] = FOREIGN
    return table


def flagged(chunk: Chunk, rules: Rules) -> dict[str, list[int]]:
    """The indices of the lines that each rule flags, in order: the same as `rules.flagged_plainly`."""
    if not chunk.outputs:
        return {code: [] for code in rules.by_code}
    view = View.of(chunk, rules)
    hits = {code: _hits(code, view) for code in rules.by_code}
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
    return {i for i in CANDIDATES[code](view).tolist() if rule(outputs[i], source(i))}


# --- necessary conditions: the indices of the lines that a rule may flag ------------------------------


def _may_hold_marker(view: View) -> Places:
    lines = enumerate(view.chunk.outputs)
    markers = view.rules.markers
    if len(markers) == 1:
        return np.array([i for i, text in lines if markers[0] in text], dtype=np.intp)
    return np.array([i for i, text in lines if any(m in text for m in markers)], dtype=np.intp)


def _wordless(view: View) -> Places:
    """No letter and no digit, which includes every blank line."""
    return np.flatnonzero(view.lacks(WORD))


def _may_be_contaminated(view: View) -> Places:
    return np.flatnonzero(view.has_pair(FOREIGN))


def _may_be_off_target(view: View) -> Places:
    """Foreign letters outnumber the script's own, or a Japanese line of ten letters has no kana.

    The rule leaves words out of the count, which can only lower the number of foreign letters.
    """
    own, foreign = view.count(OWN), view.count(FOREIGN)
    candidates = foreign > own
    if view.rules.script and view.rules.script.needs_kana:
        candidates |= view.lacks(KANA) & (own + foreign >= off_target.KANA_EXPECTED_FROM)
    return np.flatnonzero(candidates)


def _may_be_out_of_length(view: View) -> Places:
    """A text of n characters is n to 2n columns wide: at most 2n for the longer, at least n for the other."""
    ends = np.append(view.starts[1:], len(view.codes))
    output = ends - view.starts - 1
    source = np.fromiter(map(len, view.chunk.sources or ()), dtype=np.intp)
    apart = [
        (2 * longer > length_ratio.MAX_RATIO * shorter) & (2 * longer - shorter > length_ratio.MIN_DIFFERENCE)
        for longer, shorter in ((output, source), (source, output))
    ]
    return np.flatnonzero(apart[0] | apart[1])


def _may_be_unfinished(view: View) -> Places:
    """A character that marks have, a lead byte's before another byte's, or a line's first character.

    A line of ideographs with spaces between has as many spaces as letters, of which five pairs are enough.
    """
    candidates = ~view.lacks(HINT)
    candidates |= np.isin(view.codes[view.starts], FIRST_CODES)
    recoded = np.flatnonzero((view.kinds[:-1] & LEAD != 0) & (view.kinds[1:] & FOLLOWER != 0))
    candidates[np.searchsorted(view.starts, recoded, side="right") - 1] = True
    spaces = np.flatnonzero(view.kinds & SPACE)
    spaced = spaces[:-4][(spaces[4:] - spaces[:-4] == 8)]
    padded = spaces[:-1][spaces[1:] - spaces[:-1] == 1]
    candidates[np.searchsorted(view.starts, np.concatenate([spaced, padded]), side="right") - 1] = True
    nothing = [i for i, text in enumerate(view.chunk.outputs) if unfinished.is_nothing(text, None)]
    candidates[nothing] = True
    if unfinished.TRACEBACK in view.text:
        traces = [i for i, text in enumerate(view.chunk.outputs) if text.startswith(unfinished.TRACEBACK)]
        candidates[traces] = True
    return np.flatnonzero(candidates)


def _may_be_copied(view: View) -> Places:
    """The same letters as the source, one of the source's parts, or a pair of foreign letters."""
    outputs, sources = view.chunk.outputs, view.chunk.sources or ()
    candidates = fingerprints(outputs) == fingerprints(sources)
    candidates |= view.has_pair(FOREIGN)
    candidates[[i for i, text in enumerate(sources) if copied.shares_a_part(outputs[i], text)]] = True
    return np.flatnonzero(candidates)


def _may_talk(view: View) -> Places:
    """A root of a phrase in the line, if any is in the chunk."""
    found: set[int] = set()
    for root in model_talk.roots_in(view.text.lower()):
        found.update(i for i, text in enumerate(view.chunk.outputs) if root in text.lower())
    return np.array(sorted(found), dtype=np.intp)


def _may_repeat(view: View) -> Places:
    return np.union1d(_with_cubes(view), _shrinking(view))


CANDIDATES: Mapping[str, Callable[[View], Places]] = {
    failed.CODE: _may_hold_marker,
    empty.CODE: _wordless,
    repetition.CODE: _may_repeat,
    punctuation.CODE: _wordless,
    off_target.CODE: _may_be_off_target,
    contamination.CODE: _may_be_contaminated,
    length_ratio.CODE: _may_be_out_of_length,
    copied.CODE: _may_be_copied,
    unfinished.CODE: _may_be_unfinished,
    model_talk.CODE: _may_talk,
}


# --- repetition: three copies in a row ---------------------------------------------------------------


def _with_cubes(view: View) -> Places:
    """Every line that REPEATED or SHORT_LOOP can match, and few others.

    Without its spaces, three copies of a unit (with or without spaces between) form a *cube*: a stretch of
    3p characters where each equals the one p places later, for a unit of p = 1 … 101 characters.
    A unit of REPEATED has three characters and begins with a visible one, so p = 1 needs two spaces in a row.
    """
    visible = view.codes != SPACE_CODE
    chars = view.codes[visible]
    starts = (np.cumsum(visible) - visible)[view.starts]
    longest = int(np.diff(starts, append=len(chars)).max())
    places = [_four_alike(chars)]
    places += [_cubes(chars, p) for p in range(2, min(LONGEST_UNIT, longest // 3) + 1)]
    lines = np.searchsorted(starts, np.concatenate(places), side="right") - 1
    return np.union1d(lines, np.flatnonzero(view.has_pair(SPACE)))


def _four_alike(chars: Codes) -> Places:
    """The places of four equal characters in a row, which SHORT_LOOP requires of a single letter."""
    same = chars[1:] == chars[:-1]
    return np.flatnonzero(same[2:] & same[1:-1] & same[:-2])


def _cubes(chars: Codes, p: int) -> Places:
    """Multiples of p inside every cube of period p (and some other places).

    A stretch of 3p characters contains three multiples of p: k, k + p and k + 2p, whose characters are equal
    in a cube; and each of k … k + p equals the character p places later. The first test reads one in
    p characters, so all periods together read the text five times, not a hundred times.
    """
    sampled = chars[::p]
    same = sampled[1:] == sampled[:-1]
    places = np.flatnonzero(same[1:] & same[:-1]) * p
    for offset in (1, p // 2, p - 1):
        places = places[chars[places + offset] == chars[places + offset + p]]
    return places


# --- repetition: compression ratio -------------------------------------------------------------------


def _shrinking(view: View) -> Places:
    """The lines that zlib compresses beyond the threshold. It is called only if DEFLATE can reach that."""
    sizes = np.diff(view.starts, append=len(view.codes)) - 1
    occurs = np.zeros((len(sizes), 256), dtype=bool)
    lines = np.repeat(np.arange(len(sizes)), sizes + 1)
    # A line feed ends each line; letters that share the last byte of their code are counted as one.
    occurs[lines, view.codes & 0xFF] = True
    distinct = np.maximum(np.count_nonzero(occurs, axis=1) - 1, 0)
    possible = sizes > repetition.MAX_COMPRESSION * LEAST_COMPRESSED[distinct]
    shrinking = [i for i in np.flatnonzero(possible).tolist() if repetition.shrinks(view.chunk.outputs[i])]
    return np.array(shrinking, dtype=np.intp)


def _least_compressed(distinct: int) -> int:
    """A lower bound for the bytes of a zlib stream (RFC 1950, 1951) over a text of so many distinct bytes.

    A back-reference only repeats earlier bytes, so each distinct byte is written as a literal at least once.
    With the fixed code a literal takes at least 8 bits and the end of block 7. With a dynamic code they are
    symbols of one prefix code, whose total length is least in a Huffman code over equal weights; its table
    takes 14 bits, 3 for each of at least 4 code lengths, and at least half a bit for each symbol in use
    (one repeat instruction covers 6 of them in 3 bits). A stored block saves nothing. In addition there are
    3 bits of block header, 2 bytes of zlib header and 4 of checksum.
    """
    symbols = distinct + 1
    depth = symbols.bit_length() - 1
    shortest_code = symbols * depth + 2 * (symbols - (1 << depth))
    dynamic = 14 + 3 * 4 + symbols / 2 + shortest_code
    fixed = 8 * distinct + 7
    return 2 + math.ceil((3 + min(dynamic, fixed)) / 8) + 4


LEAST_COMPRESSED = np.array([_least_compressed(distinct) for distinct in range(257)])
