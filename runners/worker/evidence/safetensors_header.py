"""Reads the header of a safetensors file and checks it against the file's size. Standard library only.

The format: 8 bytes little-endian length, that many bytes of JSON, then the tensors' bytes without gaps
(https://huggingface.co/docs/safetensors).
"""

import json
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MOST_HEADER = 100_000_000  # bytes; the format's own limit
SIZES = {
    **{"F64": 8, "I64": 8, "U64": 8, "C64": 8},
    **{"F32": 4, "I32": 4, "U32": 4},
    **{"F16": 2, "BF16": 2, "I16": 2, "U16": 2},
    **{"I8": 1, "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1},
}
DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}


class BrokenFileError(Exception):
    """The file does not follow the format; the text says how."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One tensor's entry in the header; `dtype` in the format's spelling."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)


def read_header(path: Path) -> dict[str, Stored]:
    """The tensors of a complete file. Raises BrokenFileError when anything is missing or inconsistent."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(8)
        if len(head) < 8:
            raise BrokenFileError(f"has {size} bytes, not even the 8 of the header's length")
        (length,) = struct.unpack("<Q", head)
        if length > min(MOST_HEADER, size - 8):
            raise BrokenFileError(f"is cut off or damaged: its header should have {length:,} bytes")
        table = _parse(file.read(length))
    return _check(table, size - 8 - length)


def _parse(text: bytes) -> dict[str, Any]:
    try:
        table = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BrokenFileError(f"has a damaged header: {error}") from error
    if not isinstance(table, dict):
        raise BrokenFileError("has a header that is not a table of tensors")
    table.pop("__metadata__", None)
    return table


def _check(table: dict[str, Any], there: int) -> dict[str, Stored]:
    """Check that tensors have the size of their shapes and follow each other up to the file's end."""
    found: dict[str, Stored] = {}
    end = 0
    for first, last, name, stored in sorted(_entries(table), key=lambda entry: entry[:3]):
        size = SIZES.get(stored.dtype)  # unknown dtype: its size cannot be checked
        wanted = last - first if size is None else math.prod(stored.shape) * size
        if first != end or last - first != wanted:
            raise BrokenFileError(f"has a damaged header: {name} is not where it should be")
        found[name] = stored
        end = last
    if there < end:
        raise BrokenFileError(f"is cut off: {there:,} of {end:,} bytes of tensors are there")
    if there > end:
        raise BrokenFileError(f"has {there - end:,} bytes too many")
    return found


def _entries(table: dict[str, Any]) -> Iterator[tuple[int, int, str, Stored]]:
    """Start and end of each tensor, counted from the end of the header, its name and its entry."""
    for name, entry in table.items():
        try:
            first, last = entry["data_offsets"]
            stored = Stored(str(entry["dtype"]), tuple(map(int, entry["shape"])))
            if min(stored.shape, default=0) < 0:
                raise ValueError("a negative size")
            yield int(first), int(last), name, stored
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise BrokenFileError(f"has a damaged header: {name} is not a tensor") from error
