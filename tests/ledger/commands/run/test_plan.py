"""What runs of every task share before a worker starts."""

from dataclasses import replace
from pathlib import Path

import pytest

from ledger.commands.run.plan import AGAIN, Plan, RunRequest, resolve_environment, unfinished
from ledger.commands.run.training.forecasting_inputs import ForecastingInputs
from ledger.environments.environment import Environment
from ledger.evidence.environment import Installed
from ledger.evidence.preflight import DiskNeed
from ledger.journal.run import Run
from ledger.specs import load_experiment
from ledger.workspace import Workspace

ROOT = Path(__file__).parents[4]
INPUTS = "sha256:i"


class Silent:
    """Nobody is told anything."""

    def say(self, text):
        """Nothing is said."""


def finished(spec):
    started = {"spec": spec.digested(), "inputs": INPUTS}
    done = {"verdict": "pass", "output": {"path": "models/t5-v56"}}
    return Run("t5-v56-0a1b2c", "t5-v56", "real", "2026-11-22T10:00:00Z", "finished", started, done)


@pytest.mark.parametrize(
    ("request_", "refused"),
    [
        (RunRequest("t5-v56"), True),
        (RunRequest("t5-v56", allow=frozenset({AGAIN})), False),
        (RunRequest("t5-v56", resume=True), False),  # it was let through when it began
    ],
    ids=["anew", "--again", "--resume"],
)
def test_what_is_known_already_is_refused_unless_it_was_let_through(tmp_path, request_, refused):
    spec = load_experiment("t5-v56", ROOT / "experiments")
    environment = Environment("sha256:e", {}, "sha256:m", {}, {}, Installed("3.11", {}))
    workspace = Workspace(tmp_path)
    workspace.private.mkdir()
    plan = Plan(request_, spec, workspace, environment, ForecastingInputs({}, INPUTS, {}), (finished(spec),))
    _, report = resolve_environment(plan, DiskNeed(1, "a test"), Silent())
    (known,) = (one for one in report.findings if one.code == AGAIN)
    assert (known.accepted is None) is refused


@pytest.mark.parametrize(
    ("status", "inputs", "request_", "says"),
    [
        ("interrupted", INPUTS, RunRequest("t5-v56"), "that one instead: ledger run t5-v56 --resume"),
        ("failed", INPUTS, RunRequest("t5-v56", rehearse=True), "ledger run t5-v56 --rehearse --resume"),
        ("interrupted", "sha256:other", RunRequest("t5-v56"), "since the spec or the data changed"),
        ("interrupted", INPUTS, RunRequest("t5-v56", resume=True), ""),
        ("running", INPUTS, RunRequest("t5-v56"), ""),
        ("finished", INPUTS, RunRequest("t5-v56"), ""),
    ],
)  # fmt: skip
def test_a_run_that_was_interrupted_is_mentioned_before_another_one(tmp_path, status, inputs, request_, says):
    spec = load_experiment("t5-v56", ROOT / "experiments")
    environment = Environment("sha256:e", {}, "sha256:m", {}, {}, Installed("3.11", {}))
    last = replace(finished(spec), status=status, started={"inputs": inputs})
    plan = Plan(request_, spec, Workspace(tmp_path), environment, ForecastingInputs({}, INPUTS, {}), (last,))
    sentence = unfinished(plan)
    assert (bool(sentence), says in sentence) == (bool(says), True)
