"""Numbers that are equal for lines with the same letters, whatever else they hold."""

from collections.abc import Sequence
from functools import cache
from itertools import accumulate

import numpy as np
import numpy.typing as npt

Prints = npt.NDArray[np.uint64]

_BASE = np.uint64(0x9E3779B97F4A7C15 | 1)
_PLANE = 0x10000


def fingerprints(lines: Sequence[str]) -> Prints:
    """One number for each line: a polynomial over its letters in lower case, modulo 2**64; 0 without any.

    Characters beyond the Basic Multilingual Plane all count, as they are.
    """
    if not lines:
        return np.zeros(0, dtype=np.uint64)
    text = "\n".join(lines) + "\n"
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    starts = np.array([0, *accumulate(len(line) + 1 for line in lines[:-1])])
    folded = _lower()[np.minimum(codes, _PLANE - 1)].astype(np.uint64)
    beyond = codes >= _PLANE
    folded[beyond] = codes[beyond]
    kept = folded != 0
    rank = np.cumsum(kept)
    rank -= np.repeat(rank[starts], np.diff(starts, append=len(codes)))
    powers = np.full(int(rank.max()) + 2, _BASE, dtype=np.uint64)
    np.multiply.accumulate(powers, out=powers)
    return np.add.reduceat(folded * powers[rank], starts)


@cache
def _lower() -> npt.NDArray[np.uint32]:
    """The lower case of every letter of the plane; 0 for what is no letter."""
    table = np.zeros(_PLANE, dtype=np.uint32)
    for code in range(_PLANE):
        char = chr(code)
        if char.isalpha():
            table[code] = ord(char.lower()[0])
    return table
