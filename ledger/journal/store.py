"""The record itself: an append-only file of entries that name each other, so that any change shows.

One canonical JSON entry a line: `{"body":…,"id":"sha256:…","kind":…,"parents":[…],"time":…,"v":1}`. The id is
the digest of the line with the id member left out. What entries mean is in `ledger.journal.runs`; whether a
journal is sound is told by `guards.journal`. `ledger log` reads ten thousand entries through here: bodies are
parsed when they are asked for.
"""

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import orjson

from ledger.errors import LedgerError
from ledger.findings import Json
from ledger.git.branch import current_branch
from ledger.journal.heads import Heads
from ledger.utils.atomic_file import append_atomically, write_atomically
from ledger.utils.times import utc_now
from ledger.workspace import Workspace

VERSION = 1
LOCK_SECONDS = 60
FSCK = "see what is wrong with: ledger fsck"

KIND = re.compile(r"[a-z]+(\.[a-z]+)*")
# Loose where that is fast: characters are counted here and judged by `ledger fsck`.
_ENVELOPE = re.compile(
    rb',"id":"(sha256:.{64})","kind":"([^"]+)","parents":\[([^\]]*)\],"time":"(.{24})","v":(\d+)\}'
)


@dataclass(slots=True)
class Entry:
    """One entry. `time` is UTC to the millisecond; `parents` are the entries that were the newest then.

    Not to be changed, yet not frozen: that would double the time it takes to make ten thousand.
    """

    id: str
    kind: str
    parents: tuple[str, ...]
    time: str
    version: int
    _journal: bytes = field(compare=False, repr=False)
    _span: slice = field(compare=False, repr=False)
    _body: dict[str, Json] | None = field(default=None, compare=False, repr=False)

    @property
    def line(self) -> bytes:
        """The entry as it stands in its journal, without the newline."""
        return self._journal[self._span]

    @property
    def body(self) -> dict[str, Json]:
        """What was recorded, parsed when first asked for. Raises LedgerError on a line damaged inside."""
        if self._body is None:
            try:
                self._body = orjson.loads(self.line)["body"]
            except orjson.JSONDecodeError as error:
                raise LedgerError(f"the journal's entry {self.id[:19]} is damaged", hint=FSCK) from error
        return self._body


@dataclass(frozen=True, slots=True)
class Tail:
    """Where a journal's sound part ends. `torn` is what follows it: the rest of an append that was cut."""

    sound: bytes
    torn: bytes = b""


class Journal:
    """One journal file. `private` holds its lock, its heads and what was torn off it.

    `branch` is the git branch that the heads are remembered for; None when detached or outside git.
    `warn` is told what was mended.
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
        """Every entry in file order; none when there is no file. A torn tail is passed over.

        Raises LedgerError at a complete line that is no entry.
        """
        found = []
        sound = split_tail(self.read()).sound
        for number, (start, end) in enumerate(spans(sound), 1):
            entry = parse(sound, start, end)
            if entry is None:
                raise LedgerError(f"{self.path}: line {number} is not a journal entry", hint=FSCK)
            found.append(entry)
        return found

    def read(self) -> bytes:
        """The file's bytes; empty when there is no file."""
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""

    def append(self, kind: str, body: Mapping[str, Json]) -> Entry:
        """Write one entry durably, without the secrets in its body, and return it.

        On OSError (no space) the file is what it was.
        Never alters a complete line: what is wrong inside is for `ledger fsck` to tell.
        """
        with self.locked():
            return self._append(kind, body)

    def append_once(self, kind: str, body: Mapping[str, Json], key: str) -> Entry | None:
        """The same, unless an entry of this kind has the same `key` in its body: None then."""
        with self.locked():
            if any(entry.kind == kind and entry.body[key] == body[key] for entry in self.entries()):
                return None
            return self._append(kind, body)

    def _append(self, kind: str, body: Mapping[str, Json]) -> Entry:
        from ledger.utils.redaction import scrub_json

        self.path.parent.mkdir(parents=True, exist_ok=True)
        known = list(parse_sound(self._mend()))
        entry = seal(kind, scrub_json(body), newest(known))
        append_atomically(self.path, entry.line + b"\n")
        self._remember(entry, known)
        return entry

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the journal against other writers; raises LedgerError when one does not let go."""
        from filelock import FileLock, Timeout

        self.private.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.private / f"{self.path.stem}.lock", timeout=LOCK_SECONDS):
                yield
        except Timeout as error:
            raise LedgerError(
                f"{self.path} has been held by another process for {LOCK_SECONDS} s",
                hint="end that process, then repeat the command",
            ) from error

    def _mend(self) -> bytes:
        """Set a torn tail aside, complete a line that lacks only its newline; return the sound part."""
        tail = split_tail(self.read())
        if tail.torn:
            kept = self._set_aside(tail.torn)
            os.truncate(self.path, len(tail.sound))
            self._warn(
                f"{self.path.name} ended in {len(tail.torn)} bytes of an unfinished append; kept in {kept}"
            )
        if tail.sound and not tail.sound.endswith(b"\n"):
            append_atomically(self.path, b"\n")
        return tail.sound

    def _set_aside(self, torn: bytes) -> Path:
        path = self.private / "torn" / f"{self.path.stem}-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, torn)
        return path

    def _remember(self, entry: Entry, known: Iterable[Entry]) -> None:
        try:
            self.heads.advance(entry.id, {one.id for one in known})
        except (OSError, LedgerError) as error:
            # The entry is safe; only the loss of just this newest line would now go unseen.
            self._warn(f"recorded, but the newest entry could not be noted in {self.heads.path}: {error}")


def open_journal(workspace: Workspace, mode: str) -> Journal:
    """The journal that runs of this mode belong to; rehearsals have their own, which git ignores."""
    path = workspace.rehearsal_journal if mode == "rehearsal" else workspace.journal
    return Journal(path, workspace.private, current_branch(workspace.root))


def seal(kind: str, body: Mapping[str, Json], parents: Iterable[str]) -> Entry:
    """A new entry of now, with its id and its line. Raises LedgerError for what JSON cannot hold."""
    from ledger.utils.hashing import canonical_bytes, digest_json

    if not KIND.fullmatch(kind):
        raise ValueError(f"{kind!r} cannot be an entry's kind: small letters and dots only")
    time = utc_now()
    named = tuple(parents)
    content = {"v": VERSION, "kind": kind, "time": time, "parents": named, "body": dict(body)}
    identity = digest_json(content)
    line = canonical_bytes({**content, "id": identity})
    return Entry(identity, kind, named, time, VERSION, line, slice(len(line)))


def parse(data: bytes, start: int = 0, end: int | None = None) -> Entry | None:
    """The entry that stands from `start` to `end`, its body unread; None when it is not in canonical form."""
    end = len(data) if end is None else end
    envelope = data.rfind(b',"id":"sha256:', start, end)
    begins_well = envelope >= 0 and data.startswith(b'{"body":{', start)
    match = _ENVELOPE.fullmatch(data, envelope, end) if begins_well else None
    if match is None:
        return None
    identity, kind, parents, time, version = match.groups()
    named = tuple(parents.decode()[1:-1].split('","')) if parents else ()
    return Entry(
        identity.decode(), kind.decode(), named, time.decode(), int(version), data, slice(start, end)
    )


def parse_sound(data: bytes) -> Iterator[Entry]:
    """The entries among the lines; what is no entry is passed over."""
    return (entry for start, end in spans(data) if (entry := parse(data, start, end)))


def newest(entries: Iterable[Entry]) -> list[str]:
    """The heads: ids that no other entry names as its parent, in file order, each once."""
    ids: dict[str, None] = {}
    named: set[str] = set()
    for entry in entries:
        ids[entry.id] = None
        named.update(entry.parents)
    return [one for one in ids if one not in named]


def spans(data: bytes) -> Iterator[tuple[int, int]]:
    """Where each line begins and ends; only a newline ends a line, for JSON escapes all others."""
    start = 0
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        yield start, end
        start = end + 1


def split_tail(data: bytes) -> Tail:
    """Part a journal's bytes before a last line that is not JSON, which is what a cut append leaves."""
    start = data.rfind(b"\n", 0, -1) + 1
    try:
        if data:
            orjson.loads(data[start:])
    except orjson.JSONDecodeError:
        return Tail(data[:start], data[start:])
    return Tail(data)
