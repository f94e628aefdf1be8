"""Where each entry of a journal stands, so that a command need not parse a hundred thousand to find one.

An SQLite file under `.ledger/`, rebuilt from the journal whenever the two disagree and never trusted over it:
it holds for the part of the journal whose size and digests it notes. `fsck` and the gate do not use it.
"""

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol

import orjson

from ledger.utils.regular_file import open_regular

VERSION = 1
PIECE = 1 << 20  # bytes under one digest: an append hashes at most so many again
STARTS = ("run.started", "run.imported")
TABLES = """
create table about (version integer, size integer, stamp text, damaged integer);
create table piece (number integer primary key, digest blob);
create table entry (place integer primary key, start integer, end integer, id text, kind text, time text,
                    run text, experiment text, digest text, resumed integer);
create table named (id text primary key) without rowid;
create table head (id text primary key, place integer);
create index entry_id on entry (id);
create index entry_run on entry (run);
create index entry_experiment on entry (experiment, kind);
create index entry_kind on entry (kind, time);
create index entry_digest on entry (digest) where digest is not null;
"""

Place = tuple[int, int, int]  # number of the line, and where it begins and ends


class Parsed(Protocol):
    """An entry, as far as the index reads it."""

    @property
    def line(self) -> bytes:
        """As written, without the newline."""
        ...

    id: str
    kind: str
    time: str
    parents: tuple[str, ...]


Parse = Callable[[bytes, int, int], Parsed | None]


class Index:
    """The index of one journal, brought up to date when it is opened.

    Raises OSError or sqlite3.Error where it cannot be kept: the journal is then read as a whole.
    """

    def __init__(self, journal: Path, path: Path, parse: "Parse") -> None:
        self._journal, self._parse = journal, parse
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = _open(path)
        self.refresh()

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    @property
    def size(self) -> int:
        """How many bytes of the journal are indexed: all of its complete lines."""
        return int(self._about()[0])

    @property
    def damaged(self) -> int:
        """The number of the first complete line that is no entry; 0 if there is none."""
        return int(self._about()[2])

    def heads(self) -> list[str]:
        """The ids that no entry names as its parent, in file order."""
        return [row[0] for row in self._database.execute("select id from head order by place")]

    def __contains__(self, identity: object) -> bool:
        found = self._database.execute("select 1 from entry where id = ? limit 1", (identity,))
        return found.fetchone() is not None

    def has_digest(self, kind: str, digest: str) -> bool:
        """Whether an entry of this kind has this `digest` in its body."""
        query = "select 1 from entry where digest = ? and kind = ? limit 1"
        return self._database.execute(query, (digest, kind)).fetchone() is not None

    def first_of_latest(self, count: int) -> int:
        """The place from which the entries of the `count` runs that started last are complete."""
        query = "select place, run, resumed from entry where kind in (?, ?) order by time desc, place desc"
        unfinished: set[str] = set()
        seen: set[str] = set()
        first = 0
        for place, run, resumed in self._database.execute(query, STARTS):
            if len(seen | {run}) > count and not unfinished:
                return first
            seen.add(run)
            first = min(first or place, place)
            (unfinished.add if resumed else unfinished.discard)(run)
        return first or self._lines() + 1

    def starts(self, name: str) -> list[tuple[str, str, str, str]]:
        """Run, experiment, kind and time of the starts of the runs that `name` may mean."""
        query = (
            "select run, experiment, kind, time from entry where kind in (?, ?) and"
            " (experiment = ? or run = ? or substr(run, 1, length(?)) = ?) order by place"
        )
        return list(self._database.execute(query, (*STARTS, name, name, name, name)))

    def places_from(self, first: int) -> Iterator[Place]:
        """The entries from this place on."""
        return self._database.execute("select place, start, end from entry where place >= ?", (first,))

    def places_of_run(self, run: str, experiment: str) -> Iterator[Place]:
        """The entries about a run, and those about its experiment as a whole."""
        query = (
            "select place, start, end from entry"
            " where run = ? or (run is null and experiment = ?) order by place"
        )
        return self._database.execute(query, (run, experiment))

    def places_of_kind(self, kind: str) -> Iterator[Place]:
        """The entries of one kind."""
        query = "select place, start, end from entry where kind = ? order by place"
        return self._database.execute(query, (kind,))

    def refresh(self, appended: int | None = None) -> None:
        """Index what was added to the journal, or everything where its indexed part was changed.

        `appended`: the bytes that the caller, who holds the journal's lock, has just added.
        """
        try:
            file = open_regular(self._journal)
        except FileNotFoundError:
            with self._database:
                _clear(self._database)
            return
        with file, self._database:
            found = os.fstat(file.fileno())
            size, stamp, _ = self._about()
            now = _stamp(found)
            if now == stamp:
                return
            known = appended is not None and found.st_size == size + appended
            if not known and not self._holds(file, size):
                _clear(self._database)
                size = 0
            self._extend(file, size)
            self._database.execute("update about set stamp = ?", (now,))

    def _about(self) -> tuple[int, str, int]:
        size, stamp, damaged = self._database.execute("select size, stamp, damaged from about").fetchone()
        return size, stamp, damaged

    def _holds(self, file: BinaryIO, size: int) -> bool:
        """Whether the journal still begins with the bytes that were indexed."""
        pieces = [row[0] for row in self._database.execute("select digest from piece order by number")]
        return os.fstat(file.fileno()).st_size >= size and all(
            found == digest for found, digest in zip(_digests(file, 0, size), pieces, strict=True)
        )

    def _extend(self, file: BinaryIO, start: int) -> None:
        """Add the complete lines from `start` on."""
        database, place = self._database, self._lines()
        file.seek(start)
        total = os.fstat(file.fileno()).st_size
        end, damaged = start, 0
        for line in file:
            if not line.endswith(b"\n") or (end + len(line) == total and not _is_json(line)):
                break  # the rest of an append that was interrupted
            place += 1
            if not _add(database, place, end, line, self._parse):
                damaged = damaged or place
            end += len(line)
        first = start // PIECE
        database.execute("delete from piece where number >= ?", (first,))
        database.executemany(
            "insert into piece values (?, ?)", enumerate(_digests(file, first * PIECE, end), first)
        )
        database.execute(
            "update about set size = ?, damaged = coalesce(nullif(damaged, 0), ?)", (end, damaged)
        )

    def _lines(self) -> int:
        return int(self._database.execute("select coalesce(max(place), 0) from entry").fetchone()[0])


def _open(path: Path) -> sqlite3.Connection:
    """The database, made anew if it is of another version or not readable."""
    for _ in range(2):
        database = sqlite3.connect(path, timeout=30)
        try:
            with database:
                database.execute("begin immediate")
                if not database.execute("select 1 from sqlite_master limit 1").fetchone():
                    for one in TABLES.split(";"):
                        database.execute(one)
                    _clear(database)
            if database.execute("select version from about").fetchone() == (VERSION,):
                return database
        except sqlite3.OperationalError as error:
            database.close()
            if "no such" not in str(error):
                raise
        except sqlite3.DatabaseError:
            database.close()
        database.close()
        path.unlink(missing_ok=True)
    raise sqlite3.DatabaseError(f"{path} cannot be made")


def _clear(database: sqlite3.Connection) -> None:
    for table in ("about", "piece", "entry", "named", "head"):
        database.execute(f"delete from {table}")
    database.execute("insert into about values (?, 0, '', 0)", (VERSION,))


def _add(database: sqlite3.Connection, place: int, start: int, line: bytes, parse: "Parse") -> bool:
    """Add one line; False where it is no entry, which only takes its place."""
    entry = parse(line, 0, len(line) - 1)
    if entry is None:
        database.execute("insert into entry (place, start, end) values (?, ?, ?)", (place, start, start))
        return False
    body = {}
    with suppress(orjson.JSONDecodeError):
        body = orjson.loads(entry.line)["body"]
    digest = body.get("digest") if entry.kind == "environment" else None
    run = body.get("run")
    if entry.kind in STARTS:
        run = str(run)  # as `read_runs` names one without a name
    texts = [None if value is None else str(value) for value in (run, body.get("experiment"), digest)]
    row = (
        place,
        start,
        start + len(line) - 1,
        entry.id,
        entry.kind,
        entry.time,
        *texts,
        bool(body.get("resumed")),
    )
    database.execute("insert into entry values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    for parent in entry.parents:
        database.execute("insert or ignore into named values (?)", (parent,))
        database.execute("delete from head where id = ?", (parent,))
    query = "insert or ignore into head select ?, ? where not exists (select 1 from named where id = ?)"
    database.execute(query, (entry.id, place, entry.id))
    return True


def _is_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


def _digests(file: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    """The digests of the pieces between two places."""
    for at in range(start, end, PIECE):
        yield hashlib.sha256(os.pread(file.fileno(), min(PIECE, end - at), at)).digest()


def _stamp(found: os.stat_result) -> str:
    """Equal as long as nobody wrote to the file: the time of its last change cannot be set."""
    return f"{found.st_ino} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"
