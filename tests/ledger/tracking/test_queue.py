import json
import math
import subprocess
import sys
import time

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from ledger.evidence.text import LineSample
from ledger.tracking.queue import Sent, queued_runs, remember
from ledger.tracking.series import (
    SAMPLES,
    SERIES,
    MetricPoint,
    _decode,
    append_points,
    encode,
    read_lines,
    write_samples,
)
from ledger.tracking.status import Status, read_status, tracking_folder, write_status
from ledger.workspace import Workspace

POINT = MetricPoint("loss", 2.5, 2, 10)


@pytest.fixture
def folder(root):
    return root / ".ledger" / "runs" / "exp7-1"


@pytest.fixture
def queued(root):
    return lambda: queued_runs(Workspace(root))


def test_lines_know_where_they_end(folder):
    append_points(folder, [POINT])
    append_points(folder, [POINT, POINT])
    first, _, third = read_lines(folder)
    assert third.end == (folder / SERIES).stat().st_size
    assert [line.number for line in read_lines(folder, first.end)] == [2, 3]
    assert list(read_lines(folder, third.end)) == []
    assert first.point == POINT


@pytest.mark.parametrize("torn", [b'{"name":"met', b"\xe3\x81", b"{}"])
def test_a_torn_tail_costs_only_itself(folder, record, queued, torn):
    record("exp7-1", "run.started")
    append_points(folder, [POINT])
    with (folder / SERIES).open("ab") as handle:
        handle.write(torn)
    (run,) = queued()
    assert [(line.point, line.torn) for line in run.lines()] == [(POINT, False), (None, True)]
    with FileLock(folder / "lock"):
        assert [line.point for line in run.lines()] == [POINT], "a live run may be writing it"
    append_points(folder, [POINT])
    assert [(line.point, line.torn) for line in run.lines()] == [
        (POINT, False),
        (None, False),
        (POINT, False),
    ]


def test_a_full_disk_leaves_the_file_as_it_was(folder):
    """A real refusal by the kernel: the file may not grow beyond a limit, in the middle of a line."""
    append_points(folder, [POINT])
    before = (folder / SERIES).read_bytes()
    script = f"""
import resource
from pathlib import Path
from ledger.tracking.series import MetricPoint, append_points
resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before) + 40}, {len(before) + 40}))
try:
    append_points(Path({str(folder)!r}), [MetricPoint("a", 1.0, 1), MetricPoint("b", 1.0, 1)])
except OSError as error:
    print(error.errno)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "27"  # EFBIG
    assert (folder / SERIES).read_bytes() == before


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", '{"series": 1}', '{"other": 1, "lost": [], "entries": []}']
)
def test_a_damaged_state_means_nothing_was_sent(root, record, queued, damage):
    record("exp7-1", "run.started")
    (run,) = queued()
    sent = Sent("sqlite", "m1", ("sha256:x",), 7, ("x",))
    run.remember(sent)
    assert run.sent() == sent
    (tracking_folder(root) / "runs" / "exp7-1.json").write_text(damage)
    assert run.sent() == Sent()


def test_what_is_queued_is_what_was_made_here(root, record, queued):
    record("exp7-1", "run.started")
    record("exp8-2", "run.started", mode="rehearsal")
    record("exp9-3", "run.started")
    (root / ".ledger" / "runs" / "exp9-3").rmdir()  # as a run of somebody else, whose entries were pulled
    record("exp7-1", "run.finished", {"status": "finished"})
    record("exp7-1", "note", {"text": "no event"})
    assert [(run.id, len(run.entries), run.is_open) for run in queued()] == [
        ("exp7-1", 2, False),
        ("exp8-2", 1, True),
    ]


def test_unsent_counts_events_and_points(folder, record, queued):
    entry = record("exp7-1", "run.started", {"spec": {"a": 1}})
    append_points(folder, [POINT, POINT])
    (run,) = queued()
    assert run.unsent() == 4
    run.remember(Sent("x", "m1", (entry.id,), next(run.lines()).end))
    assert run.unsent() == 1


def test_a_damaged_journal_line_costs_only_itself(root, record, queued):
    record("exp7-1", "run.started")
    record("exp8-2", "run.started")
    journal = root / "experiments" / "ledger.jsonl"
    first, second = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(first[:40] + b"\n" + second)
    assert [run.id for run in queued()] == ["exp8-2"]


def test_samples_are_a_table_and_none_are_no_file(folder):
    folder.mkdir(parents=True)
    write_samples(folder, [LineSample(2, "二行目。", "둘째 줄.")])
    assert json.loads((folder / SAMPLES).read_bytes()) == {
        "columns": ["line", "source", "output"],
        "data": [[2, "둘째 줄.", "二行目。"]],
    }
    write_samples(folder, [])
    assert not (folder / SAMPLES).exists()


def test_a_damaged_status_is_no_status(root):
    tracking_folder(root).mkdir()
    status = Status("2026-11-22T06:15:30Z", "http://x", {"exp7-1": "connection refused"})
    write_status(root, status)
    assert read_status(root) == status
    (tracking_folder(root) / "status.json").write_text("{")
    assert read_status(root) == Status()


def test_looking_for_unsent_runs_stays_cheap(root, record, queued):
    for number in range(300):
        entry = record(f"exp7-{number}", "run.started")
        append_points(root / ".ledger" / "runs" / f"exp7-{number}", [POINT] * 20)
        remember(Workspace(root), f"exp7-{number}", Sent("x", "m", (entry.id,), 10**6))
    began = time.perf_counter()
    assert [run for run in queued() if run.unsent()] == []
    assert time.perf_counter() - began < 1.0


texts = st.text(st.characters(codec="utf-8"), max_size=20)
numbers = st.floats() | st.integers(-(2**60), 2**60).map(float)


@given(st.builds(MetricPoint, texts, numbers, st.integers(0, 2**50), st.integers(0, 2**50)))
def test_a_point_comes_back_from_its_line(point):
    line = encode([point])
    assert line.count(b"\n") == 1
    back = _decode(line)
    if math.isnan(point.value):
        assert math.isnan(back.value)
    else:
        assert back == point
