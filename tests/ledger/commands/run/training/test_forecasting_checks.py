"""A forecasting beside its parent: the real specs, and runs as the journal gives them."""

import json
import math
import shutil
from pathlib import Path

import pytest

from guards.training import family_not_improved
from ledger.commands.run.plan import RunRequest
from ledger.commands.run.training.forecasting_checks import (
    inspect_family,
    inspect_plan,
    measured_family,
    metrics_of,
    record_family,
    recorded_family,
    schedule_of,
)
from ledger.findings import Severity
from ledger.journal.run import Run
from ledger.specs import load_experiment
from ledger.workspace import Workspace
from runners.worker.messages import FamilyMeasurement

ROOT = Path(__file__).parents[5]
GREW = (
    "data grew 5 times since {parent} (970 batches per epoch, 32 per step -> 4,850 batches per epoch, "
    "32 per step), but the warm-up of 3 epochs (2,910 steps, 50.0% -> 14,550 steps, 50.0%) and the "
    "learning rate of 2e-05 did not change"
)
STATED = {"M1": 0.002563, "M5": -0.007802, "M15": 0.021975, "M30": 0.035845, "H1": 0.033896, "H4": -0.002577}
ROWS = dict.fromkeys(STATED, 2_000_000)


def t5(name, *overrides, folder=ROOT / "experiments"):
    return load_experiment(name, folder, overrides)


def good_run(name="t5-v56", *overrides, verdict="pass", **finished):
    data = {frame: {"path": f"{frame}.csv", "lines": rows} for frame, rows in ROWS.items()}
    started = {"spec": t5(name, *overrides).digested(), "data": data}
    return Run(
        f"{name}-0a1b2c",
        name,
        "real",
        "2025-07-08T01:00:00Z",
        "finished",
        started,
        {"verdict": verdict, **finished},
    )


def lint(spec, *runs, rehearse=False, rows=ROWS, root=ROOT):
    report = inspect_plan(Workspace(root), spec, RunRequest(spec.name, rehearse), runs, rows)
    return [one.message for one in report.findings if one.code == "TRN007"], report


def test_version_57_is_flagged_with_its_numbers_before_anything_ran():
    found, report = lint(t5("t5-v57"))
    assert found == [GREW.format(parent="t5-v56")]
    (finding,) = (one for one in report.findings if one.code == "TRN007")
    assert finding.severity is Severity.WARNING
    assert finding.measured == pytest.approx(5.0)


def test_version_58_is_not():
    found, report = lint(t5("t5-v58"))
    assert found == []
    assert "TRN007" in report.passed
    assert lint(t5("t5-v58", "parent=t5-v57"))[0] == []


@pytest.mark.parametrize("rehearse", [True, False])
def test_without_its_files_and_in_a_rehearsal_the_spec_alone_tells(rehearse):
    assert lint(t5("t5-v57"), rehearse=rehearse, rows={})[0] == [GREW.format(parent="t5-v56")]


def test_a_good_run_of_the_parent_stands_before_its_spec():
    assert lint(t5("t5-v57"), good_run())[0] == [GREW.format(parent="t5-v56-0a1b2c")]
    scaled = good_run("t5-v56", "training.warmup_epochs=1")
    assert lint(t5("t5-v57"), scaled)[0] == []
    failed = good_run("t5-v56", "training.warmup_epochs=1", verdict="fail")
    assert lint(t5("t5-v57"), failed)[0] == [GREW.format(parent="t5-v56")]


def test_a_limit_beyond_the_data_is_no_growth():
    few = dict.fromkeys(STATED, 5_000)  # 6 x (4,500 - 64) windows: 832 batches of 32
    assert schedule_of(t5("t5-v57").digested(), "t5-v57", few).batches == 832
    spec = t5("t5-v56", "development.limit_train_batches=null")
    assert schedule_of(spec.digested(), "t5-v56", few).batches == 832
    assert lint(t5("t5-v57"), good_run(), rows=few)[0] == []


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        ([], "it has no parent: name one with `parent`, or extend an experiment"),
        (["parent=t5-v99"], "its parent cannot be read: there is no experiment t5-v99"),
        (["parent=exp5"], "its parent, exp5, is a generation"),
    ],
)
def test_without_a_parent_it_is_a_skip(overrides, reason):
    _, report = lint(t5("t5-v56", *overrides))
    (skip,) = (one for one in report.skips if one.code == "TRN007")
    assert skip.reason.startswith(reason)


def test_a_parent_that_is_broken_by_now_is_told(tmp_path):
    shutil.copytree(ROOT / "experiments", tmp_path / "experiments")
    spec = t5("t5-v57", folder=tmp_path / "experiments")
    (tmp_path / "experiments" / "t5-v56.yaml").write_text("extends: [", encoding="utf-8")
    _, report = lint(spec, root=tmp_path)
    (skip,) = (one for one in report.skips if one.code == "TRN007")
    assert skip.reason.startswith("its parent cannot be read")


def measured(values, run="t5-v57-0a1b2c"):
    news = FamilyMeasurement(18, "correlation", values, dict.fromkeys(values, 5000))
    return measured_family(news, run, t5("t5-v57"), 64)


def test_a_family_goes_through_the_journal():
    before, after = measured(STATED, "t5-v56-0a1b2c"), measured(STATED | {"M1": math.nan, "M5": 0.01})
    facts = json.loads(json.dumps(record_family(before, None), allow_nan=False))
    parent = recorded_family(good_run(family=facts))
    assert parent == before
    facts = json.loads(json.dumps(record_family(after, parent), allow_nan=False))
    assert facts["parent"] == {"run": "t5-v56-0a1b2c", "improved": 1, "of": 5}
    assert [one["name"] for one in facts["members"]] == list(STATED)
    assert facts["members"][1] == {"name": "M5", "value": 0.01, "count": 5000, "parent": -0.007802}
    again = recorded_family(good_run("t5-v57", family=facts))
    assert again is not None
    assert math.isnan(again.values["M1"])
    assert recorded_family(good_run()) is None
    assert recorded_family(None) is None


def test_the_mean_is_that_of_the_values():
    metrics = metrics_of(measured(STATED))
    assert metrics["correlation"].value == pytest.approx(0.013983, abs=1e-6)  # the log states 0.008066
    assert metrics["correlation_H1"].value == 0.033896
    assert metrics["correlation"].signature == ("pearson|horizon:1|window:64|newest:0.1|windows:30000")
    assert "correlation_M1" not in metrics_of(measured(STATED | {"M1": math.nan}))


def test_a_rehearsal_is_held_against_no_parent():
    parent, now = measured(STATED, "t5-v56-0a1b2c"), measured(dict.fromkeys(STATED, -0.02))
    real = inspect_family(now, parent, t5("t5-v57"), rehearsal=False)
    assert [one.code for one in real.findings] == ["TRN009"]
    rehearsed = inspect_family(now, parent, t5("t5-v57"), rehearsal=True)
    assert [one.code for one in rehearsed.findings] == ["TRN010"]
    assert family_not_improved.CODE in {one.code for one in rehearsed.skips}


def test_the_specs_own_limits_decide():
    now = measured(STATED)
    strict = t5("t5-v57", "guards.min_correlation=0.05", "guards.min_improved=1.0")
    worse = measured({**STATED, "M1": 0.01}, "t5-v56-0a1b2c")
    report = inspect_family(now, worse, strict, rehearsal=False)
    assert [one.code for one in report.findings] == ["TRN009", "TRN010"]
