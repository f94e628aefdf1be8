import gc
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ledger.commands.fsck import check_journal
from ledger.errors import LedgerError
from ledger.journal.heads import Heads
from ledger.journal.store import Journal, newest, parse, seal

V1 = Path(__file__).parents[2] / "data" / "journals" / "v1.jsonl"
APPENDER = """
import sys
from pathlib import Path
from ledger.journal.store import Journal
root, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
journal = Journal(root / "experiments/ledger.jsonl", root / ".ledger", "main")
for number in range(count):
    entry = journal.append("run.started", {"run": f"{name}-{number}", "pad": "번역" * 300})
    print(entry.id, flush=True)
"""


@pytest.fixture
def journal(tmp_path):
    said = []
    made = Journal(tmp_path / "experiments/ledger.jsonl", tmp_path / ".ledger", "main", warn=said.append)
    made.said = said
    return made


def faults(journal, root=None):
    return [(f.code, f.evidence.get("line")) for f in check_journal(journal, root).report.findings]


def appender(root, name, count):
    return subprocess.Popen(
        [sys.executable, "-c", APPENDER, str(root), name, str(count)], stdout=subprocess.PIPE, text=True
    )


def test_a_missing_file_is_an_empty_journal(journal):
    assert journal.entries() == []
    assert faults(journal) == []


def test_an_entry_is_read_as_it_was_written(journal):
    written = journal.append("run.started", {"run": "exp7-3fa91c", "title": "번역\u2028\n실험", "x": 0.1})
    [read] = journal.entries()
    assert read == written
    assert read.body == {"run": "exp7-3fa91c", "title": "번역\u2028\n실험", "x": 0.1}
    assert (read.kind, read.parents, read.version) == ("run.started", (), 1)
    assert abs(time.time() - time.mktime(time.strptime(read.time[:19], "%Y-%m-%dT%H:%M:%S"))) < 86_400
    assert journal.path.read_bytes().endswith(b"}\n")
    assert faults(journal) == []


def test_each_entry_names_the_newest(journal):
    ids = [journal.append("run.started", {"n": number}).id for number in range(3)]
    assert [entry.parents for entry in journal.entries()] == [(), (ids[0],), (ids[1],)]
    assert journal.heads.read() == (ids[2],)


def test_after_a_union_the_next_entry_names_both_heads(journal):
    first = journal.append("run.started", {"n": 0})
    sides = [seal("run.started", {"side": side}, [first.id]) for side in "ab"]
    with journal.path.open("ab") as file:
        file.writelines(side.line + b"\n" for side in sides)
    assert journal.append("run.started", {"n": 1}).parents == tuple(side.id for side in sides)
    assert faults(journal) == []


@pytest.mark.parametrize("kept", [1, 20, -1])
def test_a_torn_tail_is_passed_over_then_set_aside_and_told(journal, kept):
    journal.append("run.started", {"n": 0})
    whole = journal.path.read_bytes()
    torn = seal("run.finished", {"n": 1}, []).line[:kept]
    journal.path.write_bytes(whole + torn)
    assert len(journal.entries()) == 1
    assert faults(journal) == [("JRN005", 2)]
    journal.append("run.started", {"n": 2})
    assert [entry.body["n"] for entry in journal.entries()] == [0, 2]
    assert journal.path.read_bytes().startswith(whole)
    [aside] = (journal.private / "torn").iterdir()
    assert aside.read_bytes() == torn
    assert str(aside) in journal.said[0]
    assert f"{len(torn)} bytes" in journal.said[0]
    assert faults(journal) == []


def test_a_last_line_that_is_not_json_is_set_aside_although_it_ends(journal):
    journal.append("run.started", {"n": 0})
    with journal.path.open("ab") as file:
        file.write(b"\0" * 40 + b"\n")
    journal.append("run.started", {"n": 1})
    assert [entry.body["n"] for entry in journal.entries()] == [0, 1]
    assert [path.read_bytes() for path in (journal.private / "torn").iterdir()] == [b"\0" * 40 + b"\n"]


def test_a_line_that_lacks_only_its_newline_is_kept(journal):
    journal.append("run.started", {"n": 0})
    journal.path.write_bytes(journal.path.read_bytes()[:-1])
    assert faults(journal) == [("JRN005", 1)]
    assert len(journal.entries()) == 1
    journal.append("run.started", {"n": 1})
    assert [entry.body["n"] for entry in journal.entries()] == [0, 1]
    assert faults(journal) == []


def test_a_bad_line_inside_stops_reading_but_is_never_touched(journal):
    for number in range(3):
        journal.append("run.started", {"n": number})
    lines = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(lines[0] + b"<<<<<<< HEAD\n" + lines[2])
    with pytest.raises(LedgerError, match=r"line 2 is not a journal entry\n.*ledger fsck"):
        journal.entries()
    journal.append("run.started", {"n": 3})
    assert journal.path.read_bytes().splitlines(keepends=True)[:3] == [lines[0], b"<<<<<<< HEAD\n", lines[2]]
    assert faults(journal)[0][0] == "JRN002"


def test_a_body_that_was_damaged_inside_is_told_when_it_is_read(journal):
    for number in range(2):
        journal.append("run.started", {"text": "abc", "n": number})
    journal.path.write_bytes(journal.path.read_bytes().replace(b'"abc"', b'"a"c"', 1))
    with pytest.raises(LedgerError, match=r"damaged\n.*ledger fsck"):
        _ = journal.entries()[0].body


def test_what_json_cannot_hold_is_refused_and_leaves_no_trace(journal):
    with pytest.raises(LedgerError, match="nan"):
        journal.append("run.finished", {"bleu": float("nan")})
    assert not journal.path.exists()


def test_a_kind_is_small_letters_and_dots():
    with pytest.raises(ValueError, match="cannot be an entry's kind"):
        seal('x","y', {}, [])


def test_the_loss_of_the_newest_shows_and_the_next_append_does_not_hide_it(journal):
    journal.append("run.started", {"n": 0})
    lost = journal.append("run.started", {"n": 1})
    journal.path.write_bytes(journal.path.read_bytes().splitlines(keepends=True)[0])
    assert faults(journal) == [("JRN002", 2)]
    journal.append("run.started", {"n": 2})
    [finding] = check_journal(journal, None).report.findings
    assert finding.evidence["missing"] == lost.id
    assert journal.heads.path.name in finding.message


def test_the_whole_journal_gone_shows(journal):
    journal.append("run.started", {"n": 0})
    journal.path.unlink()
    assert faults(journal) == [("JRN002", 1)]


@pytest.mark.parametrize("branch", [None, "main", "feat/x", "긴 이름 " * 40, "..", "a%2Fb"])
def test_every_branch_has_its_own_heads_file(tmp_path, branch):
    heads = Heads.of(tmp_path, "ledger", branch)
    heads.advance("sha256:1", set())
    assert heads.read() == ("sha256:1",)
    assert heads.path.parent == tmp_path / "heads" / "ledger"
    assert heads.path != Heads.of(tmp_path, "ledger", "other").path
    assert [path.name for path in heads.path.parent.iterdir()] == [heads.path.name]


def test_a_damaged_heads_file_is_told_and_stops_no_append(journal):
    journal.append("run.started", {"n": 0})
    journal.heads.path.write_text("{")
    with pytest.raises(LedgerError, match="damaged"):
        faults(journal)
    journal.append("run.started", {"n": 1})
    assert faults(journal) == []


def test_heads_that_cannot_be_noted_do_not_lose_the_entry(journal):
    journal.private.mkdir()
    (journal.private / "heads").write_text("in the way")
    journal.append("run.started", {"n": 0})
    assert len(journal.entries()) == 1
    assert "could not be updated" in journal.said[0]


def test_two_processes_append_at_once(tmp_path, journal):
    both = [appender(tmp_path, name, 100) for name in ("a", "b")]
    told = [process.communicate()[0].split() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert {entry.id for entry in journal.entries()} == {*told[0], *told[1]}
    assert len(journal.entries()) == 200
    assert len(newest(journal.entries())) == 1
    assert faults(journal) == []


def test_killed_at_random_moments_the_journal_stays_valid(tmp_path, journal):
    confirmed = []
    for number in range(20):
        process = appender(tmp_path, f"r{number}", 1000)
        confirmed.append(process.stdout.readline().strip())
        time.sleep(random.Random(number).uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        confirmed += process.communicate()[0].split("\n")[:-1]
        assert not [fault for fault in faults(journal) if fault[0] != "JRN005"]
        assert set(confirmed) <= {entry.id for entry in journal.entries()}
    journal.append("run.started", {"run": "last"})
    assert faults(journal) == []


def test_without_space_the_journal_is_what_it_was(tmp_path, journal):
    """A limit on file sizes makes the kernel cut the write short, as a full disk does."""
    journal.append("run.started", {"n": 0})
    before = journal.path.read_bytes()
    limit = len(before) + 500
    done = subprocess.run(
        [sys.executable, "-c", APPENDER, str(tmp_path), "x", "1"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "OSError: [Errno 27]" in done.stderr
    assert journal.path.read_bytes() == before
    assert faults(journal) == []


def fill(journal):
    for number in range(1000):
        journal.append("run.started", {"n": number, "pad": "x" * 3000})


def test_on_a_full_disk_the_journal_is_what_it_was(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"a file system of a fixed size cannot be mounted here: {mounted.stderr.strip()}")
    try:
        journal = Journal(disk / "ledger.jsonl", tmp_path / ".ledger", "main")
        with pytest.raises(OSError, match="No space left"):
            fill(journal)
        assert journal.path.read_bytes().endswith(b"}\n")
        assert len(journal.entries()) > 10
        assert faults(journal) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_writer_that_does_not_let_go_is_told(journal, monkeypatch):
    monkeypatch.setattr("ledger.journal.store.LOCK_SECONDS", 0.1)
    other = Journal(journal.path, journal.private, "main")
    with journal.locked(), pytest.raises(LedgerError, match="has been locked by another process for"):
        other.append("run.started", {})


def test_ten_thousand_entries_are_read_in_a_moment(journal):
    """Bodies are parsed on demand: under half of the time that parsing them all would take."""
    line = seal("run.finished", {f"key {n}": n * 1.5 for n in range(80)}, ["sha256:" + "a" * 64]).line
    assert 1200 < len(line) < 1700
    journal.path.parent.mkdir(parents=True)
    journal.path.write_bytes((line + b"\n") * 10_000)
    spent = []
    for read in (
        journal.entries,
        lambda: [json.loads(one) for one in journal.path.read_bytes().splitlines()],
    ):
        gc.collect()
        gc.freeze()  # what the tests before this one left is not to be walked through
        started = time.process_time()
        assert len(read()) == 10_000
        spent.append(time.process_time() - started)
    assert spent[0] < spent[1] / 2


def test_a_ledger_of_schema_1_is_still_read(tmp_path):
    journal = Journal(V1, tmp_path / ".ledger", "main")
    entries = journal.entries()
    assert [entry.kind for entry in entries] == [
        "environment", "run.started", "run.finished", "run.started", "run.finished", "run.started",
        "acceptance",
    ]  # fmt: skip
    assert max(len(entry.parents) for entry in entries) == 2, "it holds a merge"
    assert {entry.version for entry in entries} == {1}
    assert entries[2].body["metrics"]["bleu"]["value"] == 22.4
    assert faults(journal) == []
    assert newest(entries) == [entries[-1].id]
    assert all(parse(line) for line in V1.read_bytes().splitlines())


def test_the_file_and_its_folder_are_synced(journal, monkeypatch):
    synced = []
    real = os.fsync

    def spy(handle):
        synced.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        real(handle)

    monkeypatch.setattr(os, "fsync", spy)
    journal.append("run.started", {})
    assert synced[:2] == [str(journal.path), str(journal.path.parent)]
