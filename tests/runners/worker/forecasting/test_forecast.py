"""The `forecast` job, really run by Lightning: its events, checkpoints, resume, stop, mixed precision."""

import json
import math
from array import array
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from runners.rehearsal.forecasting import made_series
from runners.worker.errors import JobError
from runners.worker.evidence import lightning_checkpoint, lightning_reload
from runners.worker.forecasting import evidence
from runners.worker.messages import (
    FamilyMeasurement,
    Forecast,
    ProbeCheckpoint,
    SavedCheckpoint,
    Step,
    to_event,
    to_line,
)

SIZES = {"d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4, "dropout_rate": 0.1}
TRAINING = {
    "epochs": 3,
    "warmup_epochs": 1.0,
    "batch_size": 16,
    "gradient_clip": 1.0,
    "precision": "32",
    "optimizer": {"lr": 2e-3, "weight_decay": 0.01},
    "t5_lr_top": 1e-3,
    "layerwise_lr_decay": 0.9,
    "scheduler": {"max_lr": 2.5e-3},
    "log_every_n_steps": 2,
    "save_total_limit": 2,
}


class Recorded:
    """Keeps what a job sends, as the pipe would carry it."""

    def __init__(self):
        self.events = []

    def send(self, event):
        self.events.append(to_event(to_line(event)))

    def progress(self, *_):
        pass

    def of(self, kind):
        return [one for one in self.events if isinstance(one, kind)]


def forecast(job, events):
    """Imports Lightning when a test needs it: it would cost each process that collects the tests seconds."""
    from runners.worker.forecasting.forecast import forecast

    return forecast(job, events)


def make_job(folder: Path, **changes) -> Forecast:
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for frame, values in made_series(["M1", "H4"], 0).items():
        paths[frame] = folder / f"{frame}.f64"
        paths[frame].write_bytes(array("d", values[:200]).tobytes())
    job = Forecast(
        run="t5-000001",
        environment="sha256:0",
        model={"name": None, "revision": None, "config": SIZES},
        series=paths,
        window=16,
        validation_share=0.2,
        training=TRAINING,
        development={"limit_train_batches": 6},
        masking={"mask_ratio": 0.25, "span_max": 4},
        seed=0,
        device="cpu",
        threads=1,
        folder=folder / "checkpoints",
        snapshots=folder / "snapshots",
        stop=folder / "stop",
        progress=folder / "progress.json",
        resume=None,
    )
    return replace(job, **changes)


def weights(checkpoint: Path):
    return lightning_checkpoint.load_state(checkpoint / evidence.FILE)


def equal(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A training from the beginning to the end: its folder, its events, its result."""
    folder = tmp_path_factory.mktemp("whole")
    sent = Recorded()
    return folder, sent, forecast(make_job(folder), sent)


def test_it_reports_its_series_with_rates_and_norms(whole):
    _, sent, _ = whole
    points = [one for one in sent.of(Step) if one.loss is not None]
    assert [one.step for one in points] == list(range(2, 19, 2))
    assert all(0 < one.grad_norm < 100 and one.amp_scale is None for one in points)
    rates = [one.lr for one in points]
    assert max(rates) == pytest.approx(2.5e-3, rel=0.05)
    assert rates.index(max(rates)) == 2  # step 6: the warm-up is the first of three epochs


def test_each_time_frame_is_measured_after_each_epoch(whole):
    _, sent, _ = whole
    measured = sent.of(FamilyMeasurement)
    assert [one.step for one in measured] == [6, 12, 18]
    assert measured[-1].counts == {"M1": 40, "H4": 40}
    assert all(-1 <= value <= 1 for value in measured[-1].values.values())


def test_it_keeps_the_newest_saves_and_a_snapshot_of_each(whole):
    folder, sent, result = whole
    stored = sorted(one.name for one in (folder / "checkpoints").iterdir())
    assert stored == ["checkpoint-12", "checkpoint-18"]
    assert sorted(one.name for one in (folder / "snapshots").iterdir()) == [*stored, "checkpoint-6"]
    assert [one.step for one in sent.of(SavedCheckpoint)] == [6, 12, 18]
    assert (result.last_step, result.stopped) == (18, False)
    rates = result.effective["training"]["learning_rates"]
    assert rates == pytest.approx({"t5.0": 1.125e-3, "t5.1": 1.25e-3, "rest": 2.5e-3})


def test_what_is_reloaded_forecasts_what_the_saved_one_did(whole):
    folder, *_ = whole
    checkpoint = folder / "checkpoints" / "checkpoint-18"
    stored = json.loads((checkpoint / "ledger" / "evidence.json").read_text(encoding="utf-8"))["snapshot"]
    again = lightning_reload.probe(ProbeCheckpoint(checkpoint=checkpoint), Recorded()).snapshot
    assert again["forward"]["logits_digest"] == stored["forward"]["logits_digest"]
    assert again["forward"]["max_difference"] == 0.0
    assert again["weights"]["digests"] == stored["weights"]["digests"]
    assert again["effective"] == stored["effective"]


def test_another_model_than_was_saved_forecasts_something_else(whole, tmp_path):
    folder, *_ = whole
    copy = tmp_path / "checkpoint-18"
    evidence_of = folder / "checkpoints" / "checkpoint-18"
    copy.mkdir()
    (copy / "ledger").symlink_to(evidence_of / "ledger")
    content = torch.load(evidence_of / evidence.FILE, weights_only=True)
    content["state_dict"]["forecaster.value.weight"] *= 1.5
    torch.save(content, copy / evidence.FILE)
    again = lightning_reload.probe(ProbeCheckpoint(checkpoint=copy), Recorded()).snapshot
    assert again["forward"]["max_difference"] > 1e-3
    del content["state_dict"]["forecaster.value.weight"]
    torch.save(content, copy / evidence.FILE)
    again = lightning_reload.probe(ProbeCheckpoint(checkpoint=copy), Recorded()).snapshot
    assert again["forward"] is None
    assert "the tensors do not fit the model" in again["unseen"]["forward"]


def test_a_resumed_training_ends_where_an_uninterrupted_one_does(whole, tmp_path):
    folder, *_ = whole
    resumed = make_job(tmp_path, resume=folder / "snapshots" / "checkpoint-6")
    result = forecast(resumed, Recorded())
    assert result.last_step == 18
    last = "checkpoints/checkpoint-18"
    assert equal(weights(folder / last), weights(tmp_path / last))


class StopsAt(Recorded):
    """Asks the training to end, as the ledger does, when a step is reported."""

    def __init__(self, step, file):
        super().__init__()
        self.step, self.file = step, file

    def send(self, event):
        super().send(event)
        if isinstance(event, Step) and event.step == self.step:
            self.file.touch()


def test_it_ends_where_that_is_asked_for(tmp_path):
    result = forecast(make_job(tmp_path), StopsAt(2, tmp_path / "stop"))
    assert result.stopped
    assert result.last_step == 2


@pytest.mark.parametrize("warmup", [0, 0.5, 1])
def test_a_warmup_may_be_as_short_as_one_step(tmp_path, warmup):
    """torch's OneCycleLR divides by zero where the rates rise for exactly one step, and takes no whole 0."""
    sent = Recorded()
    training = {**TRAINING, "epochs": 4, "warmup_epochs": warmup, "log_every_n_steps": 1}
    limits = {"limit_train_batches": 1, "limit_val_batches": 1}
    forecast(make_job(tmp_path, training=training, development=limits), sent)
    rates = [one.lr for one in sent.of(Step) if one.loss is not None]
    assert rates[0] > rates[1] > rates[2]


def test_mixed_precision_reports_its_scale_on_a_cpu_too(tmp_path):
    sent = Recorded()
    training = {**TRAINING, "precision": "16-mixed", "epochs": 1, "warmup_epochs": 0.0}
    forecast(make_job(tmp_path, training=training), sent)
    scales = [one.amp_scale for one in sent.of(Step) if one.loss is not None]
    assert scales
    assert all(math.log2(scale).is_integer() and scale >= 1 for scale in scales)


def test_a_series_of_one_value_is_refused(tmp_path):
    job = make_job(tmp_path)
    job.series["H4"].write_bytes(array("d", [3.0] * 200).tobytes())
    with pytest.raises(JobError, match="the training part of H4 is one value throughout"):
        forecast(job, Recorded())


def test_a_full_disk_is_reported_and_leaves_no_partial_checkpoint(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(JobError) as caught:
        forecast(make_job(tmp_path), Recorded())
    assert caught.value.message == "checkpoint-6 could not be saved: no space left to write"
    assert not (tmp_path / "checkpoints" / "checkpoint-6").exists()
