"""What git's settings and editors do to a whole file, and how to undo it: line ends, marks, encodings."""

from ledger.errors import LedgerError

REPAIR = "restore it with: ledger fsck --repair"
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def problem(data: bytes) -> str:
    """What was done to the file as a whole, such as `has the line ends of Windows`; empty if nothing was.

    A carriage return is never part of an entry: JSON escapes it.
    """
    if data.startswith(b"\xef\xbb\xbf{"):
        return "begins with a byte order mark"
    if data.startswith((b"\xff\xfe{\0", b"\xfe\xff\0{")):
        return "is UTF-16 and not UTF-8"
    if b"\r\n" in data:
        return "has the line ends of Windows (CRLF)"
    return "has the line ends of an old Mac (CR)" if b"}\r{" in data and b"\n" not in data else ""


def restored(data: bytes) -> bytes:
    """The file as the ledger writes it. Raises UnicodeDecodeError if it is not in its mark's encoding."""
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            data = data.decode(encoding).encode()
            break
    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return data + b"\n" if data.endswith(b"}") else data


def error(path: object, what: str) -> LedgerError:
    """The error for a journal in another form."""
    return LedgerError(f"{path} {what}: an editor or git's core.autocrlf changed the whole file", hint=REPAIR)
