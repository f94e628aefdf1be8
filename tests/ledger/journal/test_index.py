"""With the index, every answer is the one that reading the whole journal gives."""

import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import UsageError
from ledger.journal import store
from ledger.journal.index import Index
from ledger.journal.runs import find, find_run, latest_runs, load_named, load_runs
from ledger.journal.store import Journal, newest, parse_sound, seal, spans, split_tail
from ledger.workspace import Workspace

NAMES = ("a-1", "a-2", "b-1", "ab-1")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ("start", "resume", "finish", "import", "accept", "accept all", "note", "environment")
        ),
        st.sampled_from(NAMES),
    ),
    max_size=12,
)
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(("append", "foreign", "cut", "flip", "swap", "merge", "torn", "blank", "same size")),
        STEPS,
    ),
    min_size=1,
    max_size=5,
)  # fmt: skip


def body_of(step, run):
    body = {"run": run, "experiment": run.partition("-")[0]}
    match step:
        case "start" | "resume":
            return "run.started", {**body, "resumed": step == "resume"}
        case "finish":
            return "run.finished", {**body, "status": "finished"}
        case "import":
            return "run.imported", body
        case "accept" | "accept all":
            named = run if step == "accept" else None
            return "acceptance", {**body, "run": named, "code": "TXT001", "why": "x", "who": "y"}
        case "note":
            return "note", {**body, "run": None, "text": "x", "who": "y"}
    return "environment", {"digest": f"sha256:{run}", "facts": {}}


def lines_after(data, steps):
    for step in steps:
        data += seal(*body_of(*step), newest(parse_sound(data))).line + b"\n"
    return data


def change(journal, kind, steps):
    path = journal.path
    data = path.read_bytes() if path.exists() else b""
    lines = data.splitlines(keepends=True)
    match kind:
        case "append":
            for step in steps:
                journal.append(*body_of(*step))
            return
        case "foreign":
            data = lines_after(data, steps)
        case "cut":
            data = b"".join(lines[: len(lines) // 2])
        case "flip" if data:
            place = len(data) // 2
            data = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        case "swap":
            data = b"".join(reversed(lines))
        case "merge":
            base = b"".join(lines[: len(lines) // 2])
            theirs = lines_after(base, steps)[len(base) :]
            data += theirs
        case "torn":
            data += b'{"body":{"x'
        case "blank":
            data += b"\n"
        case "same size" if len(lines) > 1:
            data = b"".join([lines[-1], *lines[:-1]])
    path.write_bytes(data)


def answer(function, *arguments):
    try:
        return function(*arguments)
    except Exception as error:
        return type(error).__name__, str(error)


@settings(max_examples=12)
@given(CHANGES)
def test_every_answer_is_that_of_the_whole_journal(changes):
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "SMALL", 0)
        root = Path(folder)
        (root / "experiments").mkdir()
        (root / ".ledger").mkdir()
        workspace = Workspace(root)
        journal = Journal(workspace.journal, workspace.private, warn=lambda _: None)
        for kind, steps in changes:
            change(journal, kind, steps)
            data = journal.read()
            for name in ("a-1", "a", "ab", "", "c"):
                whole = answer(lambda name=name: find(load_runs(workspace), name))
                assert answer(find_run, workspace, name) == whole
            both = answer(lambda: [find(load_named(workspace, ["a-1", "b"])[0], one) for one in ("a-1", "b")])
            assert both == answer(lambda: [find(load_runs(workspace), one) for one in ("a-1", "b")])
            few = answer(latest_runs, workspace, 2)
            patch.setattr(store, "SMALL", 1 << 60)
            assert few == answer(latest_runs, workspace, 2)
            patch.setattr(store, "SMALL", 0)
            with journal.index() as index:
                if index is not None:
                    assert index.heads() == newest(parse_sound(data[: index.size]))
                    assert index.size <= data.rfind(b"\n") + 1
                    assert bool(index.damaged) == any(
                        store.parse(data, *span) is None for span in spans(data[: index.size])
                    )


def test_an_append_names_the_heads_that_the_whole_journal_has(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "SMALL", 0)
    (tmp_path / ".ledger").mkdir()
    indexed = Journal(tmp_path / "one.jsonl", tmp_path / ".ledger", warn=lambda _: None)
    for number in range(4):
        indexed.append("note", {"n": number})
    begun = indexed.read()
    indexed.path.write_bytes(
        begun + seal("note", {"n": 9}, [newest(parse_sound(begun))[0]]).line + b'\n{"torn'
    )
    branched = begun.splitlines(keepends=True)
    indexed.path.write_bytes(
        b"".join(branched[:2]) + seal("note", {"n": 7}, []).line + b"\n" + b"".join(branched[2:])
    )
    last = indexed.append("note", {"n": 10})
    assert list(last.parents) == newest(parse_sound(indexed.read().removesuffix(last.line + b"\n")))
    assert len(last.parents) == 2
    assert split_tail(indexed.read()).torn == b""
    assert indexed.append_once("environment", {"digest": "d", "facts": {}}, "digest") is not None
    assert indexed.append_once("environment", {"digest": "d", "facts": {}}, "digest") is None


@pytest.mark.parametrize("damage", ["garbage", "empty", "version", "folder", "read-only"])
def test_a_damaged_index_is_made_anew_or_done_without(tmp_path, monkeypatch, damage):
    monkeypatch.setattr(store, "SMALL", 0)
    (tmp_path / ".ledger").mkdir()
    journal = Journal(tmp_path / "one.jsonl", tmp_path / ".ledger")
    first = journal.append("note", {"n": 1})
    with journal.index() as index:
        assert index.heads() == [first.id]
    path = tmp_path / ".ledger" / "index" / "one.sqlite"
    if damage == "garbage":
        path.write_bytes(os.urandom(9000))
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "version":
        with sqlite3.connect(path) as database:
            database.execute("update about set version = 99")
    elif damage == "folder":
        shutil.rmtree(path.parent)
        path.mkdir(parents=True)
    else:
        monkeypatch.setattr("ledger.journal.index.TABLES", "x")
        path.unlink()
    assert journal.append("note", {"n": 2}).parents == (first.id,)


def test_a_hand_edit_of_the_same_size_is_seen(tmp_path):
    (tmp_path / "one.jsonl").write_bytes(lines_after(b"", [("start", "a-1")]))
    index = Index(tmp_path / "one.jsonl", tmp_path / "one.sqlite", store.parse)
    assert [run for run, *_ in index.starts("a")] == ["a-1"]
    found = (tmp_path / "one.jsonl").stat()
    (tmp_path / "one.jsonl").write_bytes((tmp_path / "one.jsonl").read_bytes().replace(b'"a-1"', b'"a-9"'))
    os.utime(tmp_path / "one.jsonl", ns=(found.st_atime_ns, found.st_mtime_ns))
    index.refresh()
    assert [run for run, *_ in index.starts("a")] == ["a-9"]
    index.close()


def test_find_run_explains_like_find(tmp_path):
    (tmp_path / "experiments").mkdir()
    with pytest.raises(UsageError, match="no run or experiment"):
        find_run(Workspace(tmp_path), "x")
