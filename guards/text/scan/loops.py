"""Which lines may be repetition (TXT001): three copies in a row, or a high compression ratio."""

import math
from collections.abc import Iterator

import numpy as np

from guards.text import repetition
from guards.text.measures.joined import Codes, Places
from guards.text.scan.view import SAYING, SPACE, Flags, View

LONGEST_UNIT = 101  # of OpusFilter's pattern, \S.{2,100}
# A line can only have three copies of p characters if it has 3p: from these p on, shorter lines are left out.
SHORTER_LEFT_OUT_FROM = frozenset({2, 4, 6, 8, 12, 16, 24, 32, 48, 64})
NO_CHARACTER = np.uint32(0x110000)


def may_repeat(view: View) -> set[int]:
    """Three copies in a row, or a compression ratio beyond the threshold; and something but punctuation."""
    saying = view.has(SAYING)
    return {line for line in (with_cubes(view) | _shrinking(view)) if saying[line]}


# --- three copies in a row ----------------------------------------------------------------------------


def with_cubes(view: View) -> set[int]:
    """Every line that REPEATED or SHORT_LOOP can match, and few others.

    Without its spaces, three copies of a unit (with or without spaces between) form a *cube*: a stretch of
    3p characters where each equals the one p places later, for a unit of p = 1 … 101 characters.
    A unit of REPEATED has three characters and begins with a visible one. With p = 1 the other two are
    spaces; six equal characters are a cube of p = 2 as well. SHORT_LOOP has letters and digits only.
    """
    visible = view.kinds & SPACE == 0
    chars = view.outputs.codes[visible]
    saying = view.kinds[visible] & SAYING != 0
    before = np.cumsum(visible)
    ends = before[view.outputs.ends] - 1
    chars[ends] = NO_CHARACTER + np.arange(len(ends), dtype=np.uint32)  # no line's end equals another's
    found = _alike(chars, ends, 4, saying)
    if view.outputs.text.find("  ") >= 0:
        found |= _alike(chars, ends, 3) & {*view.with_pair(SPACE).tolist()}
    wide = view.outputs.sizes >= repetition.LONG_LOOP
    lines = np.arange(len(ends))
    sizes = np.diff(ends, prepend=-1)
    p = 2
    while len(lines) and p <= min(LONGEST_UNIT, int(sizes.max() - 1) // 3):
        if p in SHORTER_LEFT_OUT_FROM:
            long = sizes > 3 * p
            kept = np.repeat(long, sizes)
            chars, saying, lines, sizes = chars[kept], saying[kept], lines[long], sizes[long]
            ends = np.cumsum(sizes) - 1
        for place in _cubes(chars, p):
            line = int(lines[np.searchsorted(ends, place)])
            if wide[line] or saying[place : place + p].any():
                found.add(line)
        p += 1
    return found


def _alike(chars: Codes, ends: Places, times: int, where: Flags | None = None) -> set[int]:
    """The lines with so many equal characters in a row."""
    same = chars[1:] == chars[:-1]
    row = np.logical_and.reduce([same[i : len(same) - times + 2 + i] for i in range(times - 1)])
    places = np.flatnonzero(row if where is None else row & where[: len(row)])
    return {*np.searchsorted(ends, places).tolist()}


def _cubes(chars: Codes, p: int) -> Iterator[int]:
    """A place in the first third of every cube of period p.

    A stretch of 3p characters contains three multiples of p: k, k + p and k + 2p, whose characters are equal
    in a cube; and each of k … k + p equals the character p places later. The first test reads one in
    p characters, so all periods together read the text five times, not a hundred times.
    """
    sampled = chars[::p]
    same = sampled[1:] == sampled[:-1]
    places = np.flatnonzero(same[1:] & same[:-1]) * p
    for offset in (1, p // 2, p - 1):
        places = places[chars[places + offset] == chars[places + offset + p]]
    for place in places.tolist():
        around = chars[max(place - p + 1, 0) : place + 3 * p]
        breaks = np.flatnonzero(around[p:] != around[:-p])
        if np.diff(breaks, prepend=-1, append=len(around) - p).max() > 2 * p:
            yield place


# --- compression ratio -------------------------------------------------------------------------------


def _shrinking(view: View) -> set[int]:
    """The lines that zlib compresses beyond the threshold. It is called only if DEFLATE can reach that."""
    sizes, codes = view.outputs.sizes, view.outputs.codes
    occurs = np.zeros((len(sizes), 256), dtype=bool)
    # A line feed ends each line; letters that share the last byte of their code are counted as one.
    occurs[np.repeat(np.arange(len(sizes)), sizes + 1), codes & 0xFF] = True
    distinct = np.maximum(np.count_nonzero(occurs, axis=1) - 1, 0)
    possible = np.flatnonzero(sizes > repetition.MAX_COMPRESSION * LEAST_COMPRESSED[distinct])
    return {i for i in possible.tolist() if repetition.shrinks(view.chunk.outputs[i])}


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
