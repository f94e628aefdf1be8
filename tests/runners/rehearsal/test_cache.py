"""Marian's tiny model, trained once, on a few lines, in a cache of this test's own."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ledger.display.progress import Progress
from runners.host.worker_process import Worker
from runners.rehearsal import Rehearsal, pairs, prepare
from runners.rehearsal.model import model_name
from runners.worker.rehearsal.rehearse import PARTIAL, RECORD


def prepare_in(cache: Path, log: Path, seen: list[str] | None = None) -> Rehearsal:
    def on_progress(progress: Progress) -> None:
        if seen is not None:
            seen.append(progress.stage)

    with Worker(Path(sys.executable), log) as worker:
        return prepare(
            worker,
            family="marian",
            objective="translation",
            environment="sha256:test",
            cache=cache,
            on_progress=on_progress,
        )


def test_two_at_once_train_it_once_and_a_third_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("runners.rehearsal.model.LINES", 4)
    cache = tmp_path / "models"
    name = model_name("marian", "translation", "sha256:test", pairs())
    left = cache / f"{name}.abc{PARTIAL}"  # as a kill -9 leaves it
    left.mkdir(parents=True)
    stages: list[str] = []

    with ThreadPoolExecutor() as pool:
        logs = [tmp_path / "first.log", tmp_path / "second.log"]
        both = list(pool.map(lambda log: prepare_in(cache, log, stages), logs))
    third = prepare_in(cache, tmp_path / "third.log")

    assert sorted(one.trained_now for one in both) == [False, True]
    assert any(stage.startswith("waiting for another process") for stage in stages)
    assert not third.trained_now
    assert {one.folder for one in (*both, third)} == {cache / name}
    assert third.seconds == json.loads((cache / name / RECORD).read_text())["seconds"] > 0
    assert not left.exists()
    assert {path.name for path in cache.iterdir()} <= {name, f"{name}.lock"}


@pytest.mark.parametrize("other", ["family", "objective", "environment", "text"])
def test_a_model_is_another_when_anything_that_it_depends_on_is(other: str):
    triples = pairs(100)
    here = {"family": "mbart", "objective": "translation", "environment": "sha256:a", "triples": triples}
    changed = {
        "family": {"family": "mbart50"},
        "objective": {"objective": "denoising"},
        "environment": {"environment": "sha256:b"},
        "text": {"triples": triples[1:]},
    }
    assert model_name(**here) != model_name(**{**here, **changed[other]})
