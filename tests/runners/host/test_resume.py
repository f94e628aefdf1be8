"""Kill -9 at random moments: what was finished is kept, and the end is the same to the byte."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from ledger.errors import LedgerError
from runners.host.generation import GenerationJob, generate
from runners.host.worker_process import Worker

MakeJob = Callable[..., GenerationJob]

PARENT = """
import sys
from pathlib import Path
from runners.host.generation import GenerationJob, generate
from runners.host.worker_process import Worker

model, source, output, run_dir, log, lines = sys.argv[1:]
job = GenerationJob(model, Path(source), int(lines), Path(output), "FAILED_TRANSLATION", target_code="jpn",
                    generation={"max_length": 24, "num_beams": 2}, batch_size=4)
with Worker(Path(sys.executable), Path(log)) as worker:
    print(worker.pid, flush=True)
    generate(worker, job, Path(run_dir), lambda progress: None)
"""


@pytest.fixture
def job(make_job: MakeJob, korean: list[str]) -> GenerationJob:
    return make_job(korean[:120], generation={"max_length": 24, "num_beams": 2})


@pytest.fixture
def uninterrupted(job: GenerationJob, worker: Worker, tmp_path: Path) -> bytes:
    generate(worker, job, tmp_path / "uninterrupted", lambda progress: None)
    content = job.output.read_bytes()
    job.output.unlink()
    return content


def wait_for(condition, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def shards_in(run_dir: Path) -> int:
    return len(list((run_dir / "shards").glob("[0-9]*.json")))


def test_kill_of_the_worker(job: GenerationJob, uninterrupted: bytes, worker: Worker, tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    for _ in range(2):
        there = shards_in(run_dir)
        enough = there + random.randint(1, 6)
        with Worker(Path(sys.executable), tmp_path / "worker.log") as victim:

            def kill(progress, pid=victim.pid, enough=enough) -> None:
                if shards_in(run_dir) >= enough:
                    time.sleep(random.uniform(0, 0.02))
                    os.kill(pid, signal.SIGKILL)

            with pytest.raises(LedgerError, match="signal 9") as caught:
                generate(victim, job, run_dir, kill)
        assert "--resume" in caught.value.hint
        assert not job.output.exists()
        assert there < shards_in(run_dir) < 30
    result = generate(worker, job, run_dir, lambda progress: None)
    assert result.resumed > 0
    assert job.output.read_bytes() == uninterrupted


def test_kill_of_the_parent_ends_the_worker_too(
    job: GenerationJob, uninterrupted: bytes, worker: Worker, tmp_path: Path
) -> None:
    run_dir = tmp_path / "run"
    arguments = [job.model, job.source, job.output, run_dir, tmp_path / "worker.log", job.lines]
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, *map(str, arguments)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        enough = random.randint(1, 12)
        wait_for(lambda: shards_in(run_dir) >= enough)
        parent.kill()
    wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, 10)
    assert not job.output.exists()
    result = generate(worker, job, run_dir, lambda progress: None)
    assert 0 < result.resumed < job.lines
    assert job.output.read_bytes() == uninterrupted
