"""The journal file: append-only, hash-linked entries, so any change is detectable.

One canonical JSON entry per line: `{"body":…,"id":"sha256:…","kind":…,"parents":[…],"time":…,"v":1}`. The id
is the digest of the line without its `id` member. `ledger.journal.runs` interprets entries; `guards.journal`
checks them. `ledger log` reads ten thousand entries through here, so bodies are parsed on first access.
"""

import errno
import os
import re
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import orjson

from ledger.errors import LedgerError
from ledger.findings import Json
from ledger.git.branch import current_branch
from ledger.journal import bodies, text_form
from ledger.journal.heads import Heads
from ledger.journal.index import Index, Place
from ledger.utils.atomic_file import append_atomically, write_atomically
from ledger.utils.regular_file import open_regular, read_regular
from ledger.utils.times import utc_now
from ledger.workspace import Workspace

VERSION = 1
LOCK_SECONDS = 60
SMALL = 1 << 20  # bytes: such a journal is read as fast as its index
FSCK = "see what is wrong with: ledger fsck"

KIND = re.compile(r"[a-z]+(\.[a-z]+)*")
# Loose for speed: this only counts characters; `ledger fsck` checks them.
_ENVELOPE = re.compile(
    rb',"id":"(sha256:.{64})","kind":"([^"]+)","parents":\[([^\]]*)\],"time":"(.{24})","v":(\d+)\}'
)


@dataclass(slots=True)
class Entry:
    """One entry. `time` is UTC to the millisecond; `parents` are the entries that were the newest then.

    Do not modify it. It is not frozen only because that would double the time to create ten thousand.
    """

    id: str
    kind: str
    parents: tuple[str, ...]
    time: str
    version: int
    _journal: bytes = field(compare=False, repr=False)
    _span: slice = field(compare=False, repr=False)
    _body: dict[str, Json] | None = field(default=None, compare=False, repr=False)
    _number: int = field(default=0, compare=False, repr=False)  # of its line, where it was read alone

    @property
    def line(self) -> bytes:
        """The entry as written in its journal, without the newline."""
        return self._journal[self._span]

    @property
    def body(self) -> dict[str, Json]:
        """The recorded content, parsed on first access.

        Raises LedgerError on a damaged line, and where a member is not of the type that readers rely on.
        """
        if self._body is None:
            try:
                body = orjson.loads(self.line)["body"]
            except orjson.JSONDecodeError as error:
                raise LedgerError(f"the journal's entry {self.id[:19]} is damaged", hint=FSCK) from error
            if found := bodies.problem(self.kind, body):
                number = self._number or self._journal.count(b"\n", 0, self._span.start) + 1
                raise LedgerError(f"line {number} of the journal, {self.kind}: {found}", hint=FSCK)
            self._body = body
        return self._body


@dataclass(frozen=True, slots=True)
class Tail:
    """A journal's bytes: the `sound` part, and the `torn` rest of an append that was interrupted."""

    sound: bytes
    torn: bytes = b""


class Journal:
    """One journal file. `private` holds its lock, its heads and its quarantined torn tails.

    `branch` is the git branch whose heads are stored; None when detached or outside git. `warn` is called
    with a message about each repair.
    """

    def __init__(
        self,
        path: Path,
        private: Path,
        branch: str | None = None,
        *,
        warn: Callable[[str], None] = lambda message: print(f"ledger: {message}", file=sys.stderr),
    ) -> None:
        self.path = path
        self.private = private
        self.heads = Heads.of(private, path.stem, branch)
        self._warn = warn

    def entries(self) -> list[Entry]:
        """Every entry in file order; none when there is no file. A torn tail is ignored.

        Raises LedgerError on a complete line that is not an entry.
        """
        found = []
        data = self.read()
        if what := text_form.problem(data):
            raise text_form.error(self.path, what)
        sound = split_tail(data).sound
        for number, (start, end) in enumerate(spans(sound), 1):
            entry = parse(sound, start, end)
            if entry is None:
                raise LedgerError(f"{self.path}: line {number} is not a journal entry", hint=FSCK)
            found.append(entry)
        return found

    def read(self) -> bytes:
        """The file's bytes; empty when there is no file."""
        try:
            return read_regular(self.path)
        except FileNotFoundError:
            return b""

    def append(self, kind: str, body: Mapping[str, Json]) -> Entry:
        """Write one entry durably, with the secrets in its body removed, and return it.

        On OSError (no space) the file stays as it was. Never alters a complete line: `ledger fsck` reports
        damaged ones.
        """
        with self.locked():
            return self._append(kind, body)

    def append_once(self, kind: str, body: Mapping[str, Json], key: str) -> Entry | None:
        """The same, unless an entry of this kind already has the same value of `key`: then None."""
        with self.locked():
            with self.index() as index:
                if index is not None and key == "digest":
                    known = index.has_digest(kind, str(body[key]))
                else:
                    known = any(one.kind == kind and one.body[key] == body[key] for one in self.entries())
            return None if known else self._append(kind, body)

    def _append(self, kind: str, body: Mapping[str, Json]) -> Entry:
        from ledger.utils.redaction import scrub_json

        self.path.parent.mkdir(parents=True, exist_ok=True)
        import sqlite3

        self._check_form()
        heads: Iterable[str]
        present: Container[str]
        with self.index() as index:
            if index is None:
                known = list(parse_sound(self._repair(self.read())))
                heads, present = newest(known), {one.id for one in known}
            else:
                if self._repair(self._rest(index.size)):
                    index.refresh()
                heads, present = index.heads(), index
            entry = seal(kind, scrub_json(body), heads)
            append_atomically(self.path, entry.line + b"\n")
            self._remember(entry, present)
            if index is not None:
                with suppress(OSError, sqlite3.Error):  # it is made anew by whoever reads next
                    index.refresh(appended=len(entry.line) + 1)
        return entry

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """The same for reading: where the lock cannot be written, no entry can be either."""
        with ExitStack() as held:
            try:
                held.enter_context(self.locked())
            except OSError as error:
                if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
                    raise
            yield

    def repair_form(self) -> str:
        """Undo what an editor or git did to the file as a whole, and say what it was; empty for nothing."""
        with self.locked():
            data = self.read()
            if what := text_form.problem(data):
                try:
                    write_atomically(self.path, text_form.restored(data))
                except UnicodeDecodeError as error:
                    raise LedgerError(
                        f"{self.path} {what}, and is damaged", hint="take it from git"
                    ) from error
        return what

    def _check_form(self) -> None:
        """Refuse to append to a journal of another form: its entries would not be recognised."""
        with suppress(FileNotFoundError), open_regular(self.path) as file:
            if what := text_form.problem(file.readline()):
                raise text_form.error(self.path, what)

    @contextmanager
    def index(self) -> "Iterator[Index | None]":
        """The index of this journal; None where it is small, or where nothing may be written."""
        import sqlite3

        try:
            if self.path.stat().st_size < SMALL or not self.private.is_dir():
                raise FileNotFoundError
            index = Index(self.path, self.private / "index" / f"{self.path.stem}.sqlite", parse)
        except (OSError, sqlite3.Error):
            yield None
            return
        try:
            yield index
        finally:
            index.close()

    def at(self, places: "Iterable[Place]") -> list[Entry]:
        """The entries at places that the index gave."""
        found = []
        with open_regular(self.path) as file:
            for number, start, end in places:
                entry = parse(os.pread(file.fileno(), end - start, start))
                if entry is None:
                    raise LedgerError(f"{self.path}: line {number} is not a journal entry", hint=FSCK)
                entry._number = number
                found.append(entry)
        return found

    def _rest(self, size: int) -> bytes:
        """What follows the complete lines: nothing, or the rest of an append that was interrupted."""
        try:
            with open_regular(self.path) as file:
                file.seek(size)
                return file.read()
        except FileNotFoundError:
            return b""

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the journal against other writers. Raises LedgerError if another process holds it too long."""
        from filelock import FileLock, Timeout

        self.private.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.private / f"{self.path.stem}.lock", timeout=LOCK_SECONDS):
                yield
        except Timeout as error:
            raise LedgerError(
                f"{self.path} has been locked by another process for {LOCK_SECONDS} s",
                hint="end that process, then repeat the command",
            ) from error

    def _repair(self, data: bytes) -> bytes:
        """Quarantine a torn tail and complete a line that lacks only its newline; return the sound part.

        `data` is the journal from the beginning of any line on.
        """
        tail = split_tail(data)
        if tail.torn:
            path = self._quarantine(tail.torn)
            os.truncate(self.path, self.path.stat().st_size - len(tail.torn))
            self._warn(
                f"{self.path.name} ended in {len(tail.torn)} bytes of an unfinished append, now in {path}"
            )
        if tail.sound and not tail.sound.endswith(b"\n"):
            append_atomically(self.path, b"\n")
        return tail.sound

    def _quarantine(self, torn: bytes) -> Path:
        path = self.private / "torn" / f"{self.path.stem}-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, torn)
        return path

    def _remember(self, entry: Entry, present: Container[str]) -> None:
        try:
            self.heads.advance(entry.id, present)
        except (OSError, LedgerError) as error:
            # The entry is safe. Only the loss of this newest line could now go undetected.
            self._warn(f"recorded, but {self.heads.path} could not be updated: {error}")


def open_journal(workspace: Workspace, mode: str) -> Journal:
    """The journal that runs of this mode belong to; rehearsals have their own, which git ignores."""
    path = workspace.rehearsal_journal if mode == "rehearsal" else workspace.journal
    return Journal(path, workspace.private, current_branch(workspace.root))


def seal(kind: str, body: Mapping[str, Json], parents: Iterable[str]) -> Entry:
    """A new entry with the current time, id and line. Raises LedgerError if JSON cannot hold the body."""
    from ledger.utils.hashing import canonical_bytes, digest_json

    if not KIND.fullmatch(kind):
        raise ValueError(f"{kind!r} cannot be an entry's kind: lower-case letters and dots only")
    time = utc_now()
    named = tuple(parents)
    content = {"v": VERSION, "kind": kind, "time": time, "parents": named, "body": dict(body)}
    identity = digest_json(content)
    line = canonical_bytes({**content, "id": identity})
    return Entry(identity, kind, named, time, VERSION, line, slice(len(line)))


def parse(data: bytes, start: int = 0, end: int | None = None) -> Entry | None:
    """The entry between `start` and `end`, its body unparsed; None when it is not in canonical form."""
    end = len(data) if end is None else end
    envelope = data.rfind(b',"id":"sha256:', start, end)
    starts_as_body = envelope >= 0 and data.startswith(b'{"body":{', start)
    match = _ENVELOPE.fullmatch(data, envelope, end) if starts_as_body else None
    if match is None:
        return None
    identity, kind, parents, time, version = match.groups()
    named = tuple(parents.decode()[1:-1].split('","')) if parents else ()
    return Entry(
        identity.decode(), kind.decode(), named, time.decode(), int(version), data, slice(start, end)
    )


def parse_sound(data: bytes) -> Iterator[Entry]:
    """The entries among the lines; other lines are ignored."""
    return (entry for start, end in spans(data) if (entry := parse(data, start, end)))


def newest(entries: Iterable[Entry]) -> list[str]:
    """The heads: ids that no other entry names as its parent, in file order, without duplicates."""
    ids: dict[str, None] = {}
    named: set[str] = set()
    for entry in entries:
        ids[entry.id] = None
        named.update(entry.parents)
    return [one for one in ids if one not in named]


def spans(data: bytes) -> Iterator[tuple[int, int]]:
    """Where each line begins and ends. Only a newline ends a line: JSON escapes all other separators."""
    start = 0
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        yield start, end
        start = end + 1


def split_tail(data: bytes) -> Tail:
    """Split a journal's bytes before a last line that is not JSON, as an interrupted append leaves it."""
    start = data.rfind(b"\n", 0, -1) + 1
    try:
        if data:
            orjson.loads(data[start:])
    except orjson.JSONDecodeError:
        return Tail(data[:start], data[start:])
    return Tail(data)
