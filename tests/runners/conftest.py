import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runners.host.generation import GenerationJob
from runners.host.worker_process import Worker
from runners.rehearsal.text import pairs
from tests.conftest import make_once

BUILDER = Path(__file__).parent / "tiny.py"
CODES = {
    "marian": (None, "jpn"),
    "m2m100": ("ko", "ja"),
    "mbart": ("ko_KR", "ja_XX"),
    "mbart50": ("ko_KR", "ja_XX"),
    "nllb": ("kor_Hang", "jpn_Jpan"),
    "t5": ("Korean", "Japanese"),
}

MakeJob = Callable[..., GenerationJob]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny model of every family, by name."""
    lines = [line for triple in pairs(400) for line in (triple.ko, triple.ja)]

    def make(root: Path) -> None:
        subprocess.run(
            [sys.executable, "-P", str(BUILDER), str(root), *CODES],
            input="\n".join(lines),
            encoding="utf-8",
            check=True,
            capture_output=True,
            env=os.environ | {"TRANSFORMERS_VERBOSITY": "error"},
        )

    return make_once(tmp_path_factory, "models", make)


@pytest.fixture(scope="session")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """One worker process for all the tests that do not kill it."""
    with Worker(Path(sys.executable), tmp_path_factory.mktemp("worker") / "worker.log") as worker:
        yield worker


@pytest.fixture
def make_job(models: Path, tmp_path: Path) -> MakeJob:
    """make_job(texts, model, **fields): a job on these source lines, with quick generation settings."""

    def make_job(texts: list[str], model: str = "marian", /, **fields: object) -> GenerationJob:
        source = tmp_path / "source.ko"
        source.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
        codes = CODES[model]
        job = GenerationJob(
            model=str(models / model),
            source=source,
            lines=len(texts),
            output=tmp_path / "output.ja",
            failure_marker="FAILED_TRANSLATION",
            source_code=codes[0],
            target_code=codes[1],
            generation={"max_length": 12, "num_beams": 2},
            batch_size=4,
        )
        return replace(job, **fields)

    return make_job


@pytest.fixture(scope="session")
def korean() -> list[str]:
    """Real Korean lines, all different."""
    return [triple.ko for triple in pairs(200)]
