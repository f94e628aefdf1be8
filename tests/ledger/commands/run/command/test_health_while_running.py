"""The health of a training while it runs: at which step a guard warns or ends it."""

from contextlib import contextmanager

import pytest

from ledger.commands.run.monitor import CheckpointMonitor, Ended
from ledger.commands.run.recorder import Recorder
from ledger.evidence.training import TrainingLimits, series_of_log
from ledger.workspace import Workspace
from runners.worker.messages import Step
from runners.worker.training.reporter import TrainingReporter
from tests.guards.training.curves import HEALTHY, climb, draw, inject, jump_back

SHAPE = next(shape for shape in HEALTHY if shape.name == "Marian from scratch, 120 rows")
ROWS = draw(SHAPE)
BEGIN = 73 * SHAPE.every  # the first row of an injected fault, after 60% of the rows


class Log:
    """A source of a log's points and evaluations. `stopped_at`: the last step before it was asked to end."""

    survives_interrupt = True

    def __init__(self, monitor, rows, is_filtered):
        self.monitor, self.is_filtered, self.stopped_at = monitor, is_filtered, None
        log = series_of_log(rows)
        self.events = sorted((*log.evaluations, *log.points), key=lambda one: one.step)

    @contextmanager
    def reporting(self, post):
        for event in (*self.events, Ended()):
            post(event)
        yield

    def handle(self, event):
        pass

    def stop(self):
        self.stopped_at = self.stopped_at or self.monitor.points[-1].step
        return True


@pytest.fixture
def follow(repository, monkeypatch):
    """follow(rows): what was said of the log, and the step at which it was ended."""
    monkeypatch.chdir(repository.root)

    def follow(rows, *, is_filtered=True, limits=None):
        said = []
        with Recorder(Workspace.find(), "command", "train", "train-1") as recorder:
            monitor = CheckpointMonitor(
                recorder,
                lambda text: said.append((text, monitor.points[-1].step)),
                {},
                stop_on_fail=True,
                limits=limits or TrainingLimits(),
            )
            source = Log(monitor, rows, is_filtered)
            monitor.run(source)
        return said, source.stopped_at

    return follow


def changed(name, value):
    """The log with this value in each row from the fault on that has the name."""
    return [{**row, name: value} if name in row and row["step"] >= BEGIN else row for row in ROWS]


@pytest.mark.parametrize(
    ("rows", "is_filtered", "says"),
    [
        pytest.param(changed("loss", float("nan")), False, "the loss is NaN", id="NaN"),
        pytest.param(changed("loss", 0.0), True, "the loss reads exactly 0.0", id="NaN behind the filter"),
        pytest.param(changed("eval_bleu", float("nan")), True, "eval_bleu is NaN", id="NaN in an evaluation"),
    ],
)
def test_an_error_ends_the_training_where_it_begins(follow, rows, is_filtered, says):
    said, stopped_at = follow(rows, is_filtered=is_filtered)
    (text, step), (ending, _) = said
    assert text.startswith(f"error: TRN001 {says}")
    assert "ends after the current step" in ending
    begins = next(row["step"] for row in rows if row["step"] >= BEGIN and rows != ROWS and row not in ROWS)
    assert begins - SHAPE.every <= step == stopped_at <= begins * 1.03


@pytest.mark.parametrize(
    ("fault", "latest"), [pytest.param(jump_back, 1.05, id="jump"), pytest.param(climb(2), 1.3, id="climb")]
)
def test_a_warning_is_said_once_and_soon(follow, fault, latest):
    said, stopped_at = follow(inject(ROWS, fault))
    ((text, step),) = said
    assert text.startswith("warning: TRN004 ")
    assert BEGIN <= step <= BEGIN * latest
    assert stopped_at is None


def test_a_healthy_training_is_left_alone(follow):
    assert follow(ROWS) == ([], None)


def test_the_limits_of_the_repository_hold(follow):
    strict = TrainingLimits(least_amp_scale=1.0, vanishing_norm=100.0, learned_share=0.01)
    (text, _), *_ = follow(ROWS, limits=strict)[0]
    assert text.startswith("warning: TRN003 ")


def test_every_metric_of_an_evaluation_is_reported(tmp_path):
    sent = []

    class Reporter(TrainingReporter):
        def send(self, event):
            sent.append(event)

    logs = {"eval_loss": 2.0, "eval_bleu": 18, "eval_runtime": 3.1, "eval_names": ["a"], "epoch": 1.0}
    Reporter(tmp_path / "progress", tmp_path / "stop").report_logs(70, logs)
    assert sent == [Step(70, evaluation={"eval_loss": 2.0, "eval_bleu": 18.0})]
