"""The `.wandb` container: a header, then records with checksums, in blocks of 32 KiB.

The format is LevelDB's log format (github.com/google/leveldb, doc/log_format.md) with a header of W&B's own
and zlib's CRC-32 instead of CRC-32C.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from ledger.errors import LedgerError

HEADER = struct.Struct("<4sHB")
IDENT = (b":W&B", 0xBEE1, 0)
CHUNK = struct.Struct("<IHB")  # CRC-32 over type and data, length, type
BLOCK_BYTES = 32_768
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes without a complete record; `at` is their offset in the file."""

    at: int
    why: str


def read_records(data: bytes) -> Iterator[bytes | Damage]:
    """The payloads of the records in order, with a Damage in place of each unreadable part.

    After a damaged chunk, reading continues at the next block. Raises LedgerError if the header is not W&B's.
    """
    if len(data) < HEADER.size or HEADER.unpack_from(data) != IDENT:
        raise LedgerError(
            "this is not a W&B run file: its header is different",
            hint="name an offline-run-… folder or its .wandb file",
        )
    parts: list[bytes] | None = None
    for kind, chunk in _chunks(data):
        if isinstance(chunk, Damage):
            parts = None
            yield chunk
        elif kind in (FULL, FIRST):
            parts = [chunk]
        elif parts is not None:
            parts.append(chunk)
        # A part without its beginning is dropped: the beginning was reported as damage.
        if parts is not None and kind in (FULL, LAST):
            yield b"".join(parts)
            parts = None
    if parts is not None:
        yield Damage(len(data), "the last record is incomplete")


def _chunks(data: bytes) -> Iterator[tuple[int, bytes | Damage]]:
    at = HEADER.size
    while at < len(data):
        left = BLOCK_BYTES - at % BLOCK_BYTES
        if left < CHUNK.size:
            at += left  # padding at the end of the block
            continue
        read = _chunk(data, at, left)
        if read is None:
            at += left
        elif isinstance(read[1], Damage):
            yield read
            at += left
        else:
            yield read
            at += CHUNK.size + len(read[1])


def _chunk(data: bytes, at: int, left: int) -> tuple[int, bytes | Damage] | None:
    """The chunk at `at`, with `left` bytes left in its block; None if the rest of the block is padding."""
    if len(data) - at < CHUNK.size:
        return 0, Damage(at, "the file is truncated")
    checksum, length, kind = CHUNK.unpack_from(data, at)
    if not (checksum or length or kind):
        return None
    start = at + CHUNK.size
    if kind not in (FULL, FIRST, MIDDLE, LAST) or CHUNK.size + length > left:
        return 0, Damage(at, "this is not a record")
    if start + length > len(data):
        return 0, Damage(at, "the file is truncated")
    body = data[start : start + length]
    if zlib.crc32(data[at + 6 : start + length]) != checksum:
        return 0, Damage(at, "the checksum is wrong")
    return kind, body
