"""The fast path: the plain rules' findings on many lines, at a fraction of their cost.

For every rule there is a *necessary condition* that is cheap on a whole chunk of lines: whatever the rule
flags, the condition lets through. The plain rule then decides on the few lines that are left, so the
findings are the plain rules' own. Why each condition is necessary stands beside it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from guards.text import (
    contamination,
    empty,
    failed,
    length_ratio,
    off_target,
    punctuation,
    repetition,
)
from guards.text.rules import EXCLUSIVE, TOGETHER, Chunk, Rules

LONGEST_UNIT = 101  # of OpusFilter's pattern: \S.{2,100}
SHORTEST_REPEATED = 9  # three copies of three characters


def flagged(chunk: Chunk, rules: Rules) -> dict[str, list[int]]:
    """The indices of the lines that each rule flags, in order: what `rules.flagged_plainly` says."""
    hits = {code: _hits(code, chunk, rules) for code in rules.by_code}
    taken: set[int] = set()
    for code in EXCLUSIVE:
        if code in hits:
            hits[code] -= taken
            taken |= hits[code]
    for code in TOGETHER:
        if code in hits:
            hits[code] -= taken
    return {code: sorted(indices) for code, indices in hits.items()}


def _hits(code: str, chunk: Chunk, rules: Rules) -> set[int]:
    rule = rules.by_code[code]
    outputs = chunk.outputs
    return {i for i in CANDIDATES[code](chunk, rules) if rule(outputs[i], chunk.source(i))}


# --- necessary conditions: chunk -> indices of the lines that the rule may flag ----------------------


def _may_hold_marker(chunk: Chunk, rules: Rules) -> list[int]:
    return [i for marker in rules.markers for i, text in enumerate(chunk.outputs) if marker in text]


def _wordless(chunk: Chunk, _rules: Rules) -> list[int]:
    """No letter and no digit: true of every blank line as well."""
    has_word = punctuation.WORD_CHARACTER.search
    return [i for i, text in enumerate(chunk.outputs) if not has_word(text)]


def _may_be_contaminated(chunk: Chunk, _rules: Rules) -> list[int]:
    has_latin = contamination.TWO_LATIN_LETTERS.search
    return [i for i, text in enumerate(chunk.outputs) if has_latin(text)]


def _may_be_off_target(chunk: Chunk, rules: Rules) -> list[int]:
    """Either foreign letters outnumber the script's own, or Japanese has no kana in ten characters.

    Taking the own letters out leaves the foreign ones and whatever is no letter: an upper bound for them.
    """
    script = rules.script
    assert script is not None, "bound only where the script is known"
    has_foreign, without_own = script.foreign.search, script.letter.sub
    candidates = [
        i
        for i, text in enumerate(chunk.outputs)
        if has_foreign(text) and 2 * len(without_own("", text)) > len(text)
    ]
    if script.needs_kana:
        long_enough = off_target.KANA_EXPECTED_FROM
        no_kana = off_target.KANA.isdisjoint
        candidates += [
            i for i, text in enumerate(chunk.outputs) if len(text) >= long_enough and no_kana(text)
        ]
    return candidates


def _may_be_out_of_length(chunk: Chunk, _rules: Rules) -> list[int]:
    """A text of n characters takes n to 2n columns, so the longer one's are 2n at most, the shorter's n."""
    lengths = [
        (len(output), len(source)) for output, source in zip(chunk.outputs, chunk.sources or (), strict=True)
    ]
    return [
        i
        for i, (output, source) in enumerate(lengths)
        if (2 * output > 3 * source and 2 * output - source > length_ratio.MIN_DIFFERENCE)
        or (2 * source > 3 * output and 2 * source - output > length_ratio.MIN_DIFFERENCE)
    ]


def _may_repeat(chunk: Chunk, _rules: Rules) -> set[int]:
    return _with_cubes(chunk.outputs) | _shrinking(chunk.outputs)


CANDIDATES: Mapping[str, Callable[[Chunk, Rules], Sequence[int] | set[int]]] = {
    failed.CODE: _may_hold_marker,
    empty.CODE: _wordless,
    repetition.CODE: _may_repeat,
    punctuation.CODE: _wordless,
    off_target.CODE: _may_be_off_target,
    contamination.CODE: _may_be_contaminated,
    length_ratio.CODE: _may_be_out_of_length,
}


# --- repetition: three copies in a row ---------------------------------------------------------------


def _with_cubes(outputs: Sequence[str]) -> set[int]:
    """Every line that REPEATED or SHORT_LOOP can match, and few others.

    Take the spaces out. Three copies of a unit, with or without spaces between, are then a *cube*: a
    stretch of 3p characters where each equals the one p places on, for the unit's p = 1 … 101 characters.
    A unit of REPEATED has three characters and begins with a visible one, so p = 1 needs two spaces in a row.
    All lines are laid end to end: a cube across two lines adds a candidate and takes none away.
    """
    packed = [text.replace(" ", "") for text in outputs]
    chars = np.frombuffer("".join(packed).encode("utf-32-le", "surrogatepass"), dtype="<u4")
    starts = np.array([0, *accumulate(map(len, packed))])
    longest = max(map(len, packed), default=0)
    places = [_four_alike(chars)]
    places += [_cubes(chars, p) for p in range(2, min(LONGEST_UNIT, longest // 3) + 1)]
    lines = np.searchsorted(starts, np.concatenate(places), side="right") - 1
    spaced = {i for i, text in enumerate(outputs) if len(text) >= SHORTEST_REPEATED and "  " in text}
    return spaced.union(lines.tolist())


def _four_alike(chars: npt.NDArray[np.uint32]) -> npt.NDArray[np.intp]:
    """Where four equal characters stand in a row: what SHORT_LOOP asks of a single letter."""
    same = chars[1:] == chars[:-1]
    return np.flatnonzero(same[2:] & same[1:-1] & same[:-2])


def _cubes(chars: npt.NDArray[np.uint32], p: int) -> npt.NDArray[np.intp]:
    """Multiples of p inside every cube of period p (and some other places).

    A stretch of 3p characters holds three multiples of p, k, k + p and k + 2p, which are equal in a cube; and
    all of k … k + p equal the character p places on. The first test reads one character in p, so that all
    periods together cost five readings of the text, not a hundred.
    """
    sampled = chars[::p]
    same = sampled[1:] == sampled[:-1]
    places = np.flatnonzero(same[1:] & same[:-1]) * p
    for offset in (1, p // 2, p - 1):
        places = places[chars[places + offset] == chars[places + offset + p]]
    return places


# --- repetition: compression ratio -------------------------------------------------------------------


def _shrinking(outputs: Sequence[str]) -> set[int]:
    """The lines that zlib shrinks beyond the threshold. It is asked only where DEFLATE's format allows it."""
    encoded = [text.encode("utf-8", "surrogatepass") for text in outputs]
    sizes = np.array([len(data) for data in encoded], dtype=np.intp)
    seen = np.zeros((len(encoded), 256), dtype=bool)
    lines = np.repeat(np.arange(len(encoded)), sizes)
    seen[lines, np.frombuffer(b"".join(encoded), dtype=np.uint8)] = True
    possible = sizes > repetition.MAX_COMPRESSION * LEAST_COMPRESSED[np.count_nonzero(seen, axis=1)]
    return {i for i in np.flatnonzero(possible).tolist() if repetition.shrinks(outputs[i])}


def _least_compressed(distinct: int) -> int:
    """A lower bound for the bytes of a zlib stream (RFC 1950, 1951) over a text of so many distinct bytes.

    A copy can only bring what was there before, so each distinct byte is written as a literal at least once.
    With the fixed code a literal takes 8 bits or more and the end of block 7. With a dynamic code they are
    symbols of one prefix code, whose total is least in a Huffman code over equal weights; its table takes
    14 bits, 3 for each of at least 4 code lengths, and at least half a bit for each symbol in use
    (one repeat instruction stands for 6 of them and takes 3 bits). A stored block saves nothing. Around the
    block there are 3 bits of its own header, 2 bytes of zlib's header and 4 of its checksum.
    """
    symbols = distinct + 1
    depth = symbols.bit_length() - 1
    shortest_code = symbols * depth + 2 * (symbols - (1 << depth))
    dynamic = 14 + 3 * 4 + symbols / 2 + shortest_code
    fixed = 8 * distinct + 7
    return 2 + math.ceil((3 + min(dynamic, fixed)) / 8) + 4


LEAST_COMPRESSED = np.array([_least_compressed(distinct) for distinct in range(257)])
