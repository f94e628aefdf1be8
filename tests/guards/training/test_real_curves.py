"""Real trainings of tiny networks: healthy, an absurd learning rate, float16 overflows, NaN."""

import pytest

from guards.training import SERIES
from ledger.evidence.training import TrainingLimits, TrainingPoint, TrainingSeries, series_of_log

torch = pytest.importorskip("torch")
STEPS = 200
SEEDS = (1, 2)


def train(*, lr, seed=1, optimizer="AdamW", scaler=None, overflow_from=STEPS + 1):
    """Train a small network to find the largest of 16 numbers; return the point of each step.

    From step `overflow_from` on, its logits are scaled beyond what float16 can hold, and converted to it.
    """
    torch.manual_seed(seed)
    model = torch.nn.Sequential(torch.nn.Linear(16, 64), torch.nn.GELU(), torch.nn.Linear(64, 16))
    update = getattr(torch.optim, optimizer)(model.parameters(), lr=lr)
    points = []
    for step in range(1, STEPS + 1):
        batch = torch.randn(64, 16)
        logits = model(batch)
        if step >= overflow_from:
            logits = (logits * 1e6).half().float()
        loss = torch.nn.functional.cross_entropy(logits, batch.argmax(1))
        update.zero_grad()
        (scaler.scale(loss) if scaler else loss).backward()
        if scaler:
            scaler.unscale_(update)
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(update) if scaler else update.step()
        if scaler:
            scaler.update()
        scale = scaler.get_scale() if scaler else None
        points.append(TrainingPoint(step, loss.item(), norm.item(), lr, scale))
    return points


def flagged(points, **fields):
    series = TrainingSeries(tuple(points), **{"filtered": False, **fields})
    limits = TrainingLimits()
    found = (one for guard in SERIES for one in guard.inspect(limits, series))
    return {finding.code for finding in found if hasattr(finding, "severity")}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("lr", [1e-2, 1e-3])
def test_a_sound_training_is_not_flagged(lr, seed):
    points = train(lr=lr, seed=seed)
    assert points[-1].loss < points[0].loss
    assert flagged(points) == set()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_sound_training_with_a_scaler_is_not_flagged(seed):
    assert flagged(train(lr=1e-2, seed=seed, scaler=torch.amp.GradScaler("cpu"))) == set()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_learning_rate_of_a_thousand_is_flagged(seed):
    assert {"TRN002", "TRN004"} & flagged(train(lr=1e3, seed=seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_overflowing_halves_sink_the_scale_and_make_the_loss_nan(seed):
    points = train(lr=1e-2, seed=seed, scaler=torch.amp.GradScaler("cpu"), overflow_from=100)
    assert points[98].amp_scale == 65536.0
    assert {"TRN001", "TRN005"} <= flagged(points)


def test_a_frozen_network_has_vanished_norms():
    points = train(lr=0.0, optimizer="SGD")
    # As a loss that was cut off from the weights shows: the norm is exactly zero, the loss stays.
    cut_off = [TrainingPoint(point.step, point.loss, 0.0) for point in points]
    assert flagged(cut_off) == {"TRN003", "TRN011"}


def test_nan_is_seen_through_the_filter_of_the_real_trainer(tmp_path):
    """The Trainer's log after NaN, with its filter on as by default: zeros that look like perfection."""
    transformers = pytest.importorskip("transformers")

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(4, 2)
            self.calls = 0

        def forward(self, x, labels):
            self.calls += 1
            loss = torch.nn.functional.cross_entropy(self.layer(x), labels)
            return {"loss": loss * (float("nan") if self.calls > 10 else 1.0)}

    data = [{"x": torch.randn(4), "labels": torch.tensor(i % 2)} for i in range(80)]
    arguments = transformers.TrainingArguments(
        str(tmp_path), max_steps=20, per_device_train_batch_size=4, logging_steps=1, save_strategy="no",
        report_to=[], use_cpu=True, disable_tqdm=True,
    )  # fmt: skip
    trainer = transformers.Trainer(Net(), arguments, train_dataset=data)
    trainer.train()
    log = trainer.state.log_history
    assert [row["loss"] for row in log if "loss" in row][10:] == [0.0] * 10
    assert "TRN001" in flagged(series_of_log(log).points, filtered=True)
