"""The training worker on its own: what it tells, how it stops, what a full disk and bad arguments come to."""

import math
import random
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from ledger.checkpoints.folders import list_checkpoints
from ledger.checkpoints.stored_evidence import read_evidence
from ledger.errors import LedgerError
from ledger.evidence.training import TrainingPoint
from runners.host.training import TrainingJob, train
from runners.host.verification import ReloadOptions, reload
from runners.host.worker_process import Worker
from runners.rehearsal.training import PIECES, scaled_arguments, scaled_config, training_text
from runners.worker.messages import ModelSource, SavedCheckpoint, TextFiles

pytestmark = pytest.mark.timeout(300)
SPEC = {"gradient_accumulation_steps": 2, "lr_scheduler_type": "cosine", "fp16": True, "num_train_epochs": 10}


@pytest.fixture
def job(tmp_path: Path) -> TrainingJob:
    paths = [tmp_path / "text.ja", tmp_path / "text.ko"]
    for path, lines in zip(paths, training_text("ja", "ko"), strict=True):
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    text = TextFiles(paths[0], paths[1], 64)
    config = scaled_config({"share_encoder_decoder_embeddings": True, "tie_word_embeddings": True})
    arguments = {**scaled_arguments(SPEC), "max_steps": 4, "save_steps": 2, "logging_steps": 1}
    return TrainingJob(
        run="exp10-abc123",
        environment="sha256:00",
        model=ModelSource("marian", None, PIECES, config),
        train=text,
        validation=text,
        language="ko",
        folder=tmp_path / "checkpoints",
        work=tmp_path,
        arguments={**arguments, "save_total_limit": 1},
        device="cpu",
        threads=1,
    )


def only(kind, news):
    return [one for one in news if isinstance(one, kind)]


def test_what_it_tells_and_leaves(worker: Worker, job: TrainingJob):
    news: list[object] = []
    trained = train(worker, job, news.append)
    assert (trained.last_step, trained.stopped) == (4, False)
    assert [point.step for point in only(TrainingPoint, news)] == [1, 2, 3, 4]
    assert all(math.isfinite(point.loss) and point.grad_norm > 0 for point in only(TrainingPoint, news))
    saves = only(SavedCheckpoint, news)
    assert [save.step for save in saves] == [2, 4]
    assert all(save.save_seconds > 0 and save.evidence_seconds > 0 for save in saves)
    assert not saves[0].folder.exists(), "save_total_limit is 1"
    for save in saves:
        assert (save.snapshot / "ledger" / "evidence.json").is_file()
        assert (save.snapshot / "model.safetensors").is_file()
    training = trained.effective["training"]
    assert (training["seed"], training["logging_nan_inf_filter"]) == (0, False)
    assert trained.effective["runtime"]["deterministic"] is True
    assert "output_dir" not in training


def test_a_save_is_told_when_its_evidence_is_there_and_the_training_has_gone_on(
    worker: Worker, job: TrainingJob
):
    arguments = {**job.arguments, "max_steps": 60, "save_steps": 20}
    news: list[object] = []
    there: list[bool] = []

    def tell(told: object) -> None:
        news.append(told)
        if isinstance(told, SavedCheckpoint):
            there.append(all((place / "ledger/evidence.json").is_file() for place in _places(told)))

    train(worker, replace(job, arguments=arguments), tell)
    assert there == [True, True, True]
    first, _, last = only(SavedCheckpoint, news)
    steps_before = [one.step for one in news[: news.index(first)] if isinstance(one, TrainingPoint)]
    assert steps_before[-1] > first.step, "the first save was told only after some more steps"
    for save, threads in ((first, 1), (last, None)):
        found = reload(worker, save.snapshot, ReloadOptions())
        assert found.expected.weights.digests == found.actual.weights.digests
        assert found.expected.forward.logits_digest == found.actual.forward.logits_digest
        assert found.expected.sample.output == found.actual.sample.output
        assert read_evidence(save.snapshot).recipe.get("sample_threads") == threads


def _places(saved: SavedCheckpoint) -> list[Path]:
    """Where a save is: its snapshot, and the folder itself unless the trainer has deleted it meanwhile."""
    return [saved.snapshot, *([saved.folder] if saved.folder.is_dir() else [])]


def test_a_save_that_cannot_be_linked_ends_the_training(worker: Worker, job: TrainingJob):
    job.snapshots.write_text("a file where a folder should be")
    news: list[object] = []
    with pytest.raises(LedgerError, match="no evidence could be recorded for checkpoint-2: FileExistsError"):
        train(worker, replace(job, arguments={**job.arguments, "max_steps": 400}), news.append)
    assert not only(SavedCheckpoint, news)
    assert only(TrainingPoint, news)[-1].step < 300, "told long before the end"


def test_a_save_in_progress_is_told_when_the_training_is_asked_to_end(worker: Worker, job: TrainingJob):
    news: list[object] = []

    def tell(told: object) -> None:
        news.append(told)
        if isinstance(told, TrainingPoint) and told.step == 2:
            job.stop_file.touch()  # while the second step's save is looked at

    trained = train(worker, replace(job, arguments={**job.arguments, "max_steps": 400}), tell)
    assert trained.stopped
    assert [save.step for save in only(SavedCheckpoint, news)] == list(range(2, trained.last_step + 1, 2))
    assert all(read_evidence(save.snapshot) for save in only(SavedCheckpoint, news))


def test_no_save_deletes_the_one_before_while_its_evidence_is_written(worker: Worker, job: TrainingJob):
    news: list[object] = []
    often = {"save_steps": 1, "gradient_accumulation_steps": 1, "save_total_limit": 1}
    train(worker, replace(job, arguments={**job.arguments, **often}), news.append)
    assert [save.step for save in only(SavedCheckpoint, news)] == [1, 2, 3, 4]
    assert all(read_evidence(save.snapshot) for save in only(SavedCheckpoint, news))


def test_a_killed_training_leaves_whole_evidence_or_none(job: TrainingJob, tmp_path: Path):
    with Worker(Path(sys.executable), tmp_path / "worker.log") as worker:

        def tell(told: object) -> None:
            if (job.folder / "checkpoint-8").exists():
                time.sleep(random.uniform(0, 0.2))
                psutil.Process(worker.pid).kill()

        with pytest.raises(LedgerError, match="signal 9"):
            train(worker, replace(job, arguments={**job.arguments, "max_steps": 4000}), tell)
    snapshots = list_checkpoints(job.snapshots)
    assert len(snapshots) >= 3
    assert all(read_evidence(snapshot).snapshot.sample for snapshot in snapshots)
    for folder in list_checkpoints(job.folder):
        read_evidence(folder)  # raises for what is half written


def test_the_same_seed_gives_the_same_losses(worker: Worker, job: TrainingJob, tmp_path: Path):
    losses = []
    for name in ("one", "two"):
        news: list[object] = []
        train(worker, replace(job, folder=tmp_path / name), news.append)
        losses.append([point.loss for point in only(TrainingPoint, news)])
    assert losses[0] == losses[1]


def test_it_ends_at_the_next_step_when_asked(worker: Worker, job: TrainingJob):
    def tell(news: object) -> None:
        if isinstance(news, SavedCheckpoint):
            job.stop_file.touch()

    trained = train(worker, replace(job, arguments={**job.arguments, "max_steps": 400}), tell)
    assert trained.stopped
    assert 2 <= trained.last_step < 400


def test_it_goes_on_from_a_checkpoint(worker: Worker, job: TrainingJob):
    news: list[object] = []
    train(worker, job, news.append)
    before = [point.loss for point in only(TrainingPoint, news)]
    first = only(SavedCheckpoint, news)[0].snapshot
    again: list[object] = []
    train(worker, replace(job, resume=first, folder=job.work / "again"), again.append)
    assert [point.step for point in only(TrainingPoint, again)] == [3, 4]
    assert [point.loss for point in only(TrainingPoint, again)] == before[2:]


def test_fp16_without_a_gpu(worker: Worker, job: TrainingJob):
    with pytest.raises(LedgerError, match="fp16 needs a GPU"):
        train(worker, replace(job, arguments={**job.arguments, "fp16": True}), lambda _: None)


def test_text_that_changed_meanwhile(worker: Worker, job: TrainingJob):
    text = replace(job.train, lines=63)
    with pytest.raises(LedgerError, match="64 lines, 63 were expected"):
        train(worker, replace(job, train=text), lambda _: None)


def test_a_full_disk_ends_it_in_one_sentence_and_spares_the_save_before(job: TrainingJob, tmp_path: Path):
    saves: list[SavedCheckpoint] = []
    with Worker(Path(sys.executable), tmp_path / "worker.log") as worker:

        def tell(news: object) -> None:
            if isinstance(news, SavedCheckpoint):
                saves.append(news)
                room = (100_000, psutil.RLIM_INFINITY)  # bytes a file: the weights have 4 million
                psutil.Process(worker.pid).rlimit(psutil.RLIMIT_FSIZE, room)

        arguments = {**job.arguments, "save_steps": 20, "max_steps": 40}
        with pytest.raises(LedgerError, match="no space left to save checkpoint-40"):
            train(worker, replace(job, arguments=arguments), tell)
    (first,) = saves
    assert (first.folder / "model.safetensors").stat().st_size > 1_000_000
    assert (first.folder / "optimizer.pt").is_file()
    assert not (job.folder / "checkpoint-40").exists()
