"""The plan of a training, held against the record: real specs, and runs as the journal gives them."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.commands.run.plan import Plan, RunRequest
from ledger.commands.run.training.checks import (
    inspect_defaults,
    inspect_plan,
    inspect_series,
    last_good,
    schedule_of,
)
from ledger.commands.run.training.inputs import TrainingInputs
from ledger.environments.environment import Environment
from ledger.evidence.environment import Installed
from ledger.evidence.training import TrainingFailure, TrainingLimits, TrainingPoint
from ledger.findings import Severity
from ledger.journal.run import Run
from ledger.specs import load_experiment
from ledger.workspace import Workspace

ROOT = Path(__file__).parents[5]
GOOD = load_experiment("exp10", ROOT / "experiments")
LINES = 546_881
EFFECTIVE = {
    "model": {"use_cache": True, "d_model": 512},
    "training": {"learning_rate": 3e-4},
    "runtime": {"transformers": "4.57.6"},
}


def run(name="exp10-0a1b2c", *, experiment="exp10", verdict="pass", lines=LINES, spec=GOOD):
    started = {"spec": spec.digested(), "data": {"train.source": {"lines": lines}}}
    finished = {"verdict": verdict, "effective": EFFECTIVE}
    return Run(name, experiment, "real", "2026-01-25T08:25:00Z", "finished", started, finished)


def plan(*runs, overrides=(), lines=LINES, rehearse=False):
    spec = load_experiment("exp10", ROOT / "experiments", overrides)
    environment = Environment("sha256:e", {}, "sha256:m", {}, {}, Installed("3.11", {}))
    inputs = TrainingInputs({"train.source": {"lines": lines}}, "sha256:i")
    request = RunRequest("exp10", rehearse=rehearse, overrides=tuple(overrides))
    return Plan(request, spec, Workspace(ROOT), environment, inputs, runs)


def test_the_schedule_of_the_good_run_is_what_its_log_says():
    found = schedule_of(GOOD.digested(), {"train.source": {"lines": LINES}}, "good")
    assert found.steps == 21_370
    assert found.warmup_steps / found.steps == pytest.approx(0.187, abs=0.001)


def test_what_a_spec_sets_to_null_on_purpose_is_no_changed_default():
    effective = {**EFFECTIVE, "training": {"learning_rate": 5e-5}, "model": {"tie_word_embeddings": None}}
    nulls = ("training.learning_rate=null", "model.config.tie_word_embeddings=null")
    assert inspect_defaults(plan(run(), overrides=nulls), effective).findings[0].evidence["differences"] == [
        {"field": "model.use_cache", "before": True, "after": None}
    ]


def test_the_defaults_stand_in_for_what_a_spec_leaves_out():
    transformers = pytest.importorskip("transformers")
    library = transformers.TrainingArguments("unused", report_to=[], use_cpu=True)
    found = schedule_of({}, {"train": {"lines": 80}}, "bare")
    assert found.batch_size == library.per_device_train_batch_size
    assert found.accumulation == library.gradient_accumulation_steps
    assert found.learning_rate == library.learning_rate
    assert found.warmup_steps == library.warmup_steps
    assert found.epochs == library.num_train_epochs
    assert found.steps == 30


@pytest.mark.parametrize(
    ("overrides", "lines", "codes"),
    [
        pytest.param([], LINES, [], id="the same again, with its warm-up of 18.7%"),
        pytest.param([], 5 * LINES, ["TRN007"], id="five times the data"),
        pytest.param(
            ["training.gradient_accumulation_steps=8"], LINES, ["TRN007"], id="four times the batch"
        ),
        pytest.param(["training.learning_rate=6e-4"], 5 * LINES, [], id="a learning rate of its own"),
        pytest.param(["training.warmup_steps=8000"], 5 * LINES, [], id="a warm-up of its own"),
        pytest.param(["model.config.d_model=500000"], LINES, ["PRE006"], id="larger than any device"),
    ],
)
def test_the_plan_is_held_against_the_last_good_run(overrides, lines, codes):
    report = inspect_plan(plan(run(), overrides=overrides, lines=lines))
    assert [finding.code for finding in report.findings] == codes
    assert {"PRE006", "TRN007"} == {*codes, *report.passed}


def test_a_first_run_and_a_rehearsal_skip_what_they_cannot_know():
    assert [skip.code for skip in inspect_plan(plan()).skips] == ["TRN007", "PRE007"]
    assert [skip.code for skip in inspect_plan(plan(rehearse=True)).skips] == ["PRE006", "TRN007", "PRE007"]


def test_the_parent_is_the_newest_that_passed():
    failed, old, new = run("exp10-ffffff", verdict="fail"), run("exp10-000000"), run("exp10-111111")
    other = run("exp9-222222", experiment="exp9")
    assert last_good(plan(old, new, failed, other)).id == "exp10-111111"
    assert last_good(plan(other, failed)) is None


def test_a_default_that_moved_is_named_and_what_the_spec_sets_is_not():
    now = {
        "model": {"use_cache": False, "d_model": 256},
        "training": {"learning_rate": 1e-4},
        "runtime": {"transformers": "5.0.0"},
    }
    (finding,) = inspect_defaults(plan(run()), now).findings
    assert finding.code == "TRN008"
    assert finding.message == (
        "1 default differs from the last good run, exp10-0a1b2c (transformers 4.57.6 -> 5.0.0): "
        "model.use_cache (True -> False)"
    )


def test_without_a_good_run_there_is_nothing_to_compare():
    (skip,) = inspect_defaults(plan(), EFFECTIVE).skips
    assert skip.reason == "no earlier run of this training passed"


def test_the_parent_that_the_spec_extends_stands_in_for_an_own_run(tmp_path):
    shutil.copy(ROOT / "experiments" / "exp10.yaml", tmp_path)
    (tmp_path / "exp11.yaml").write_text("extends: exp10\nseed: 2\n", encoding="utf-8")
    child = replace(
        plan(run(), run("exp9-222222", experiment="exp9")), spec=load_experiment("exp11", tmp_path)
    )
    assert last_good(child).id == "exp10-0a1b2c"
    own = replace(child, runs=(*child.runs, run("exp11-333333", experiment="exp11")))
    assert last_good(own).id == "exp11-333333"


def test_an_end_for_want_of_memory_is_a_finding_with_its_step():
    failure = TrainingFailure("CUDA out of memory. Tried to allocate 2.00 GiB", step=784)
    report = inspect_series([TrainingPoint(1, loss=9.0)], TrainingLimits(), failure)
    (found,) = [finding for finding in report.findings if finding.code == "TRN006"]
    assert (found.measured, found.severity) == (784, Severity.ERROR)
    assert "TRN006" in inspect_series([TrainingPoint(1, loss=9.0)], TrainingLimits()).passed
