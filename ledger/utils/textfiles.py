"""Line-aligned text files: strict reading, atomic writing.

Line 17 of a translation must belong to line 17 of its source, so a line ends only at a line feed (with or
without a carriage return). `str.splitlines` would also split at U+2028, form feeds and six more characters
that real corpora contain.
"""

import codecs
import errno
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from ledger.errors import LedgerError
from ledger.utils.atomic_file import write_atomically
from ledger.utils.regular_file import read_regular

LINE_END = re.compile(r"\r?\n")
GUESSED_FROM_BYTES = 64 * 1024
# Encodings that occur in practice where Korean and Japanese are translated. Without this list, the guess for
# short input names encodings that nobody has used for decades.
PLAUSIBLE_ENCODINGS = ("cp949", "cp932", "euc_jp", "gb18030", "big5", "cp1251", "cp1252")
ICONV_NAMES = {"cp949": "CP949", "cp932": "SHIFT_JIS", "euc_jp": "EUC-JP", "utf_16": "UTF-16"}


def read_lines(path: Path | str) -> list[str]:
    """The lines of a UTF-8 file without their line ends and the byte order mark.

    A newline at the end of the file does not start another line; empty lines inside count.
    Raises LedgerError if the file is missing, a folder, unreadable, empty, or not UTF-8.
    """
    path = Path(path)
    data = _read_bytes(path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise not_utf8(path, data, error) from error
    if not text:
        raise LedgerError(f"{path} is empty", hint="did the command that writes it succeed?")
    lines = LINE_END.split(text)
    return lines if lines[-1] else lines[:-1]


def write_lines_atomically(path: Path | str, lines: Sequence[str]) -> None:
    """Write `lines` as UTF-8, each ended by one line feed, either completely or not at all.

    Raises ValueError for a line that contains a line feed, LedgerError if the file cannot be written.
    """
    path = Path(path)
    broken = next((number for number, line in enumerate(lines, 1) if "\n" in line), None)
    if broken is not None:
        raise ValueError(f"line {broken} contains a line feed, which would shift all later lines")
    try:
        write_atomically(path, "".join(f"{line}\n" for line in lines).encode())
    except OSError as error:
        raise cannot_write(path, error) from error


def _read_bytes(path: Path) -> bytes:
    try:
        return read_regular(path)
    except FileNotFoundError as error:
        raise LedgerError(f"file not found: {path}", hint="check the name and the folder") from error
    except IsADirectoryError as error:
        raise LedgerError(f"{path} is a folder, not a text file", hint="name a file inside it") from error
    except PermissionError as error:
        raise LedgerError(f"no permission to read {path}", hint=f"see: ls -l {path}") from error
    except ValueError as error:
        raise LedgerError(f"{str(path)!r} cannot be the name of a file", hint="check the name") from error
    except OSError as error:
        raise LedgerError(f"{path} cannot be read: {error.strerror}", hint=f"see: ls -lL {path}") from error


def not_utf8(path: Path, data: bytes, error: UnicodeDecodeError) -> LedgerError:
    """The error for a file that is not UTF-8, with the command that converts it."""
    # The utf-8-sig codec counts from the end of the byte order mark.
    start = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
    number = data.count(b"\n", 0, start) + 1
    message = f"{path} is not UTF-8: line {number}, byte {start} of the file (0x{data[start]:02x})"
    guess = _guess_encoding(data)
    if guess is None:
        return LedgerError(message, hint="no common encoding fits: is it a text file?")
    name = ICONV_NAMES.get(guess, guess.upper())
    command = f"iconv -f {name} -t UTF-8 {shlex.quote(str(path))} > {shlex.quote(f'{path}.utf8')}"
    return LedgerError(message, hint=f"it looks like {name}; convert it: {command}")


def _guess_encoding(data: bytes) -> str | None:
    from charset_normalizer import from_bytes

    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf_16"
    # Cut after a line feed, so that no character is split. The library's default threshold of 0.2 rejects
    # short Japanese text mixed with Latin words.
    end = data.rfind(b"\n", 0, GUESSED_FROM_BYTES) + 1 if len(data) > GUESSED_FROM_BYTES else len(data)
    sample = data[: end or GUESSED_FROM_BYTES]
    best = from_bytes(sample, threshold=0.5, cp_isolation=list(PLAUSIBLE_ENCODINGS)).best()
    return best.encoding if best else None


def cannot_write(path: Path, error: OSError) -> LedgerError:
    """The error for a file that could not be written."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return LedgerError(f"no space left to write {path}", hint="free some space, then repeat the command")
    if not path.parent.exists():
        return LedgerError(f"{path} cannot be written: no such folder", hint=f"mkdir -p {path.parent}")
    return LedgerError(f"{path} cannot be written: {error.strerror}", hint=f"see: ls -ld {path.parent}")
