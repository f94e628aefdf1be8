"""Numbers that are equal for lines with the same letters, whatever else they hold."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from guards.text.measures.chunk import Chunk
from guards.text.measures.joined import Joined

Prints = npt.NDArray[np.uint64]

_BASE = 0x9E3779B97F4A7C15 | 1
_WORD = 1 << 64
_PLANE = 0x10000


def prints_of(text: Chunk) -> tuple[Prints, Prints]:
    """The fingerprints of outputs and sources; none where there are none."""
    return fingerprints(text.outputs), fingerprints(text.sources or ())


def fingerprints(lines: Sequence[str]) -> Prints:
    """One number for each line: a polynomial over its letters in lower case, modulo 2**64; 0 without any.

    Characters beyond the Basic Multilingual Plane all count, as they are.
    """
    return joined_fingerprints(Joined.of(lines)) if lines else np.zeros(0, dtype=np.uint64)


def joined_fingerprints(joined: Joined) -> Prints:
    """As `fingerprints`, of lines that are laid out already."""
    folded: npt.NDArray[np.unsignedinteger] = _lower().take(joined.codes, mode="clip")
    beyond = joined.codes >= _PLANE
    if beyond.any():
        folded = np.where(beyond, joined.codes, folded)
    kept = folded != 0
    ends = np.cumsum(kept)[joined.ends]
    starts = np.append(0, ends[:-1])
    letters = folded[kept].astype(np.uint64)
    powers, inverses = _powers(len(letters).bit_length())
    letters *= powers[: len(letters)]
    sums = np.append(np.uint64(0), np.cumsum(letters))
    prints: Prints = (sums[ends] - sums[starts]) * inverses[starts]
    return prints


@cache
def _powers(bits: int) -> tuple[Prints, Prints]:
    """The first 2**bits powers of the base, and of its inverse modulo 2**64."""
    bases = (_BASE, pow(_BASE, -1, _WORD))
    powers, inverses = (
        np.multiply.accumulate(np.array([1] + [base] * ((1 << bits) - 1), dtype=np.uint64)) for base in bases
    )
    return powers, inverses


@cache
def _lower() -> npt.NDArray[np.uint16]:
    """The lower case of every letter of the plane; 0 for what is no letter."""
    table = np.zeros(_PLANE, dtype=np.uint16)
    for code in range(_PLANE):
        char = chr(code)
        if char.isalpha():
            table[code] = ord(char.lower()[0])
    return table
