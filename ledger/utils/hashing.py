"""Canonical JSON (RFC 8785) and digests in the form `sha256:…`."""

import hashlib
import sys
from pathlib import Path
from typing import TypedDict

from ledger.errors import LedgerError
from ledger.findings import Json
from ledger.utils.regular_file import open_regular

CHUNK = 1 << 20


class FileDigest(TypedDict):
    """Both digests of a file in hex, and its size. MD5 is there because people compare outputs by it."""

    md5: str
    sha256: str
    bytes: int


def canonical_bytes(value: Json) -> bytes:
    """Serialize `value` by RFC 8785: sorted keys, no spaces, the shortest digits of each number.

    Raises LedgerError for what JSON cannot represent exactly: NaN, infinities, integers beyond 2**53, lone
    surrogates, keys that are not strings, other types.
    """
    import rfc8785

    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise LedgerError(
            f"a value cannot be written as JSON: {error}", hint="record it as text, or leave it out"
        ) from error


def digest_bytes(data: bytes) -> str:
    """The SHA-256 of `data`, prefixed with the name of the algorithm."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def digest_json(value: Json) -> str:
    """The digest of `value`'s canonical bytes: equal for equal JSON, however it was formatted."""
    return digest_bytes(canonical_bytes(value))


def digest_file(path: Path) -> FileDigest:
    """MD5, SHA-256 and size of a file, read once. Raises OSError if it cannot be read."""
    md5, sha256, size = hashlib.md5(usedforsecurity=False), hashlib.sha256(), 0
    with open_regular(path, sys.maxsize) as file:
        while chunk := file.read(CHUNK):
            md5.update(chunk)
            sha256.update(chunk)
            size += len(chunk)
    return {"md5": md5.hexdigest(), "sha256": sha256.hexdigest(), "bytes": size}
