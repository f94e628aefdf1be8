"""A chunk as arrays of characters and their kinds, for the fast path."""

from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from guards.text import off_target, punctuation, unfinished
from guards.text.measures.chunk import Chunk
from guards.text.measures.fingerprints import Prints, joined_fingerprints
from guards.text.measures.han import strange_to
from guards.text.measures.joined import Joined, Places
from guards.text.measures.mojibake import FOLLOWERS, LEADS, RARE_IDEOGRAPHS
from guards.text.measures.scripts import LATIN_LETTER, Script
from guards.text.measures.width import columns
from guards.text.measures.words import is_copied
from guards.text.repetition import is_symbol
from guards.text.scan.rules import Rules

# Kinds of characters, as bits.
WORD, SYMBOL, OWN, FOREIGN, LATIN, THIRD, KANA, SPACE, HINT, INITIAL, RARE, LEAD, FOLLOWER, STRANGE = (
    np.uint16(1 << bit) for bit in range(14)
)
SAYING = WORD | SYMBOL
TABLE_SIZE = 0x10000

Kinds = npt.NDArray[np.uint16]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class View:
    """A chunk of at least one line, with its outputs and sources laid out.

    `kinds` has the kinds of each character of the outputs, `occurring` those that occur in each line;
    `prints` are the fingerprints of outputs and sources, if there are sources.
    """

    chunk: Chunk
    rules: Rules
    outputs: Joined
    kinds: Kinds
    occurring: Kinds
    sources: Joined | None
    prints: tuple[Prints, Prints] | None

    @classmethod
    def of(cls, chunk: Chunk, rules: Rules) -> "View":
        """Lay out a chunk."""
        outputs = Joined.of(chunk.outputs)
        kinds = _kinds(rules.script).take(outputs.codes, mode="clip")
        occurring = np.bitwise_or.reduceat(kinds, outputs.starts)
        if chunk.sources is None:
            return cls(chunk, rules, outputs, kinds, occurring, None, None)
        sources = Joined.of(chunk.sources)
        prints = joined_fingerprints(outputs), joined_fingerprints(sources)
        return cls(chunk, rules, outputs, kinds, occurring, sources, prints)

    def has(self, kind: np.uint16) -> Flags:
        """For each line, whether some character is of the kind."""
        having: Flags = self.occurring & kind != 0
        return having

    def first(self, kind: np.uint16) -> Flags:
        """For each line, whether its first character is of the kind."""
        being: Flags = self.kinds[self.outputs.starts] & kind != 0
        return being

    def runs(self, kind: np.uint16) -> tuple[Places, Places]:
        """The starts and ends (excluded) of all runs of characters of the kind; none spans two lines."""
        inside = np.zeros(len(self.kinds) + 2, dtype=bool)
        np.not_equal(self.kinds & kind, 0, out=inside[1:-1])
        edges = np.flatnonzero(inside[1:] != inside[:-1])
        return edges[::2], edges[1::2]

    def with_pair(self, kind: np.uint16) -> Places:
        """The lines with two consecutive characters of the kind."""
        pairs = np.flatnonzero(self.kinds[:-1] & self.kinds[1:] & kind)
        return np.unique(self.outputs.lines_at(pairs))

    @cached_property
    def unknown_words(self) -> dict[int, list[int]]:
        """The lengths of the foreign words of each line that has one, by line.

        Words of ASCII letters that are copied from the source do not count.
        """
        starts, ends = self.runs(FOREIGN)
        lines = self.outputs.lines_at(starts)
        text, sources = self.outputs.text, self.chunk.sources
        lengths: dict[int, list[int]] = {}
        for start, end, line in zip(starts.tolist(), ends.tolist(), lines.tolist(), strict=True):
            word = text[start:end]
            if sources is None or not word.isascii() or not is_copied(word, sources[line]):
                lengths.setdefault(line, []).append(end - start)
        return lengths

    def count(self, kind: np.uint16) -> Places:
        """For each line, the number of characters of the kind."""
        return _counts(self.kinds & kind != 0, self.outputs)


def widths(joined: Joined) -> tuple[Places, Places]:
    """The least and the greatest width of each line in columns: those of other planes' characters vary."""
    least = joined.sizes + _counts(_wide().take(joined.codes, mode="clip"), joined)
    beyond = joined.codes >= TABLE_SIZE - 1
    if not beyond.any():
        return least, least
    return least, least + _counts(beyond, joined)


def _counts(flags: Flags, joined: Joined) -> Places:
    """For each line, the number of its characters with the flag."""
    before = np.append(0, np.cumsum(flags))
    counts: Places = before[joined.ends] - before[joined.starts]
    return counts


@cache
def _wide() -> Flags:
    """Whether a character takes two columns; no for the last, which stands for all other planes."""
    return np.array([columns(chr(code)) == 2 for code in range(TABLE_SIZE - 1)] + [False])


@lru_cache(maxsize=8)
def _kinds(script: Script | None) -> Kinds:
    """The kinds of every character of the Basic Multilingual Plane.

    The last entry is for all characters beyond it: whatever may make a rule flag them.
    """
    plane = "".join(map(chr, range(TABLE_SIZE - 1)))
    patterns = {WORD: punctuation.WORD_CHARACTER, LATIN: LATIN_LETTER}
    if script:
        patterns |= {OWN: script.letter, FOREIGN: script.foreign}
    table = np.zeros(TABLE_SIZE, dtype=np.uint16)
    for bit, pattern in patterns.items():
        table[[ord(char) for char in pattern.findall(plane)]] |= bit
    characters = {
        SYMBOL: filter(is_symbol, plane),
        KANA: off_target.KANA,
        SPACE: " ",
        HINT: unfinished.TRACES,
        INITIAL: filter(unfinished.may_begin, plane),
        RARE: RARE_IDEOGRAPHS,
        LEAD: LEADS,
        FOLLOWER: FOLLOWERS,
        STRANGE: strange_to(script.name) if script else "",
    }
    for bit, members in characters.items():
        table[[ord(char) for char in members]] |= bit
    table[(table & FOREIGN != 0) & (table & LATIN == 0)] |= THIRD
    table[-1] = FOREIGN | THIRD | SYMBOL | INITIAL
    return table
