import subprocess
import sys
import time

import pytest

from ledger.tracking.events import MetricPoint, Start
from ledger.tracking.spool import Sent, Spool, SpoolFile
from ledger.tracking.status import Status, pending, read_status, spool_folder, write_status

START = Start("exp7", "real", 1)
POINT = MetricPoint("loss", 2.5, 2, 10)


@pytest.fixture
def spool(tmp_path):
    return Spool(spool_folder(tmp_path))


def test_nothing_is_on_disk_before_the_first_event(spool):
    writer = spool.writer("exp7-1")
    assert not spool.folder.exists()
    writer.append(START)
    assert [file.run for file in spool.files()] == ["exp7-1"]


def test_lines_know_where_they_end(spool):
    spool.writer("exp7-1").append(START, POINT, POINT)
    (file,) = spool.files()
    first, second, third = file.lines()
    assert third.end == file.path.stat().st_size
    assert [line.number for line in file.lines(first.end)] == [2, 3]
    assert list(file.lines(third.end)) == []
    assert second.data.endswith(b"\n")


@pytest.mark.parametrize("torn", [b'{"event":"met', b"\xe3\x81", b"{}"])
def test_a_torn_tail_costs_only_itself(spool, torn):
    spool.writer("exp7-1").append(START)
    (file,) = spool.files()
    with file.path.open("ab") as handle:
        handle.write(torn)
    assert file.tail().data == torn
    assert [line.number for line in file.lines()] == [1]
    assert file.unsent() == 2
    spool.writer("exp7-1").append(POINT)
    assert file.tail() is None
    assert [line.data for line in file.lines()][1] == torn + b"\n"
    assert b'"loss"' in list(file.lines())[2].data


def test_a_full_disk_leaves_the_file_as_it_was(spool):
    """A real refusal by the kernel: the file may not grow beyond a limit, in the middle of a line."""
    spool.writer("exp7-1").append(START)
    (file,) = spool.files()
    before = file.path.read_bytes()
    script = f"""
import resource
from pathlib import Path
from ledger.tracking.events import MetricPoint
from ledger.tracking.spool import Spool
resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before) + 40}, {len(before) + 40}))
try:
    Spool(Path({str(spool.folder)!r})).writer("exp7-1").append(Metric("a", 1.0, 1), Metric("b", 1.0, 1))
except OSError as error:
    print(error.errno)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "27"  # EFBIG
    assert file.path.read_bytes() == before


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"offset": 1}', '{"other": 1, "lost": []}'])
def test_a_damaged_state_means_nothing_was_sent(spool, damage):
    spool.writer("exp7-1").append(START)
    (file,) = spool.files()
    file.remember(Sent("sqlite", "m1", 7, ("x",)))
    assert file.sent() == Sent("sqlite", "m1", 7, ("x",))
    file.path.with_name("exp7-1.sent.json").write_text(damage)
    assert file.sent() == Sent()


def test_pending_names_what_waits_and_why(tmp_path, spool):
    assert pending(tmp_path) == []
    spool.writer("exp7-1").append(START, POINT)
    spool.writer("exp8-2").append(START)
    (first, second) = spool.files()
    second.remember(Sent(offset=second.path.stat().st_size))
    assert [(p.run, p.events, p.error) for p in pending(tmp_path)] == [("exp7-1", 2, None)]
    write_status(tmp_path, Status("2026-11-22T06:15:30Z", "http://x", {"exp7-1": "connection refused"}))
    assert pending(tmp_path)[0].error == "connection refused"
    first.remember(Sent(offset=first.path.stat().st_size))
    assert pending(tmp_path) == []


def test_a_damaged_status_is_no_status(tmp_path, spool):
    spool.writer("exp7-1").append(START)
    (spool.folder / "status.json").write_text("{")
    assert read_status(tmp_path) == Status()


def test_pending_stays_cheap(tmp_path, spool):
    writers = [spool.writer(f"exp7-{number}") for number in range(300)]
    spool.folder.mkdir(parents=True)
    for writer in writers:
        writer.path.write_bytes(b"{}\n" * 20)
        SpoolFile(writer.path).remember(Sent(offset=60))
    began = time.perf_counter()
    assert pending(tmp_path) == []
    assert time.perf_counter() - began < 1.0
