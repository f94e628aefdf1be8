"""Imports of training logs: the guards judge them as `verify` does, and find one training under two names."""

import json
from dataclasses import replace

import pytest

from ledger.commands.import_ import read
from ledger.commands.verify.verify import inspect_log
from ledger.evidence.snapshot import Snapshot
from ledger.evidence.training import TrainingLimits
from ledger.importers.registry import read_source
from runners.host.verification import ReloadResult, inspect_files
from tests.guards.training.curves import (
    HEALTHY,
    climb,
    draw,
    inject,
    jump_back,
    level_times_3,
    never_learns,
    not_a_number,
    one_row,
)

SHAPE = next(shape for shape in HEALTHY if shape.name == "classifier, 29 rows")


@pytest.fixture
def write(repository):
    """write(name, rows): an output folder of the Trainer in the repository, with these rows as its log."""

    def write_folder(name, rows):
        folder = repository.root / name
        folder.mkdir()
        last = rows[-1]["step"]
        state = {"global_step": last, "max_steps": last, "train_batch_size": 8, "log_history": rows}
        (folder / "trainer_state.json").write_text(json.dumps(state))
        return name

    return write_folder


def codes(document, severity=None):
    return [f["code"] for f in document["findings"] if severity in (None, f["severity"])]


def test_a_healthy_log_passes(repository, write):
    done = repository.json("import", write("healthy", draw(SHAPE)))
    assert done["verdict"] == "pass"
    assert codes(done, "warning") == codes(done, "error") == []


def test_a_diverged_log_is_a_warning_that_is_recorded(repository, write):
    done = repository.json("import", write("diverged", inject(draw(SHAPE), climb(2))))
    assert codes(done, "warning") == ["TRN004"]
    assert codes(done["runs"][0]["report"], "warning") == ["TRN004"]


def test_nan_stays_nan_and_is_an_error(repository, write):
    rows = draw(SHAPE)
    for row in rows[20:]:
        row.update({name: float("nan") for name in ("loss", "eval_loss") if name in row})
    done = repository.json("import", write("broken", rows), exits=1)
    claims = done["runs"][0]["claims"]
    assert set(codes(done, "error")) == {"TRN001"}
    assert claims["metrics"]["eval_loss"] == claims["series"]["eval_loss"]["last"] == "nan"
    lost = sum(row.get("loss") != row.get("loss") for row in rows)
    assert claims["series"]["loss"]["not_finite"] == lost
    shown = repository.ledger("show", done["runs"][0]["run"])
    assert (shown.returncode, f"{lost} not finite" in shown.stdout) == (0, True)


def test_nothing_learned_is_information(repository, write):
    done = repository.json("import", write("flat", inject(draw(SHAPE), never_learns)))
    assert codes(done) == ["TRN011", "TRN012"]
    assert codes(done, "warning") == []


def test_one_training_under_three_names(repository, write):
    rows = draw(SHAPE)
    first = repository.json("import", write("learning_rate_5e-5", rows))
    assert codes(first, "warning") == []
    for name in ("learning_rate_1e-5", "learning_rate_2e-4"):
        done = repository.json("import", write(name, rows))
        assert set(codes(done, "warning")) == {"TRN013", "DUP004"}
        found = next(f for f in done["findings"] if f["code"] == "DUP004")
        assert "the stated settings differ in learning_rate" in found["message"]


def test_the_same_folder_again_is_no_duplicate(repository, write):
    name = write("once", draw(SHAPE))
    repository.json("import", name)
    again = repository.json("import", name)
    assert codes(again, "warning") == []
    assert not again["runs"][0]["new"]


def test_a_translation_does_not_list_the_guard_on_trainings():
    from guards import registry
    from guards.identity import duplicate_training

    assert duplicate_training not in registry.IDENTITY, "a skip that can never apply is noise"
    assert duplicate_training in registry.by_code().values()


FAULTS = (jump_back, climb(1), climb(2), level_times_3, one_row(10), never_learns, not_a_number)


@pytest.mark.parametrize("shape", HEALTHY, ids=lambda shape: shape.name)
def test_an_import_finds_what_verify_finds(shape, tmp_path):
    """The log as it is, with one of the faults, with NaN in its evaluations, and under a name that lies."""
    rows = draw(shape)
    faulty = inject(rows, FAULTS[HEALTHY.index(shape) % len(FAULTS)])
    broken = [{**row, "eval_loss": float("nan")} if "eval_loss" in row else row for row in rows]
    for name, log in (("healthy", rows), ("faulty", faulty), ("broken", broken), ("lr_0.5", rows)):
        last = log[-1]["step"]
        folder = tmp_path / name / f"checkpoint-{last}"
        folder.mkdir(parents=True)
        state = {"global_step": last, "max_steps": last, "train_batch_size": 8, "log_history": log}
        (folder / "trainer_state.json").write_text(json.dumps(state))
        reloaded = ReloadResult(inspect_files(folder), Snapshot(), Snapshot())
        verified = inspect_log(folder, reloaded, TrainingLimits()).findings
        for path in (folder, folder.parent):
            imported = read(path, None, None).report.findings
            assert sorted(map(repr, imported)) == sorted(map(repr, verified))


def test_of_several_runs_in_one_source_each_has_its_own_findings(repository, write, monkeypatch):
    bad, good = inject(draw(SHAPE), climb(2)), draw(next(shape for shape in HEALTHY if shape is not SHAPE))
    one, other = (read_source(repository.root / write(*two), None) for two in (("bad", bad), ("good", good)))
    both = replace(one, runs=(*one.runs, *other.runs))
    monkeypatch.setattr("ledger.commands.import_.read_source", lambda *_: both)
    done = read(repository.root / "bad", None, None)
    found = [
        [f["code"] for f in run.body["report"]["findings"] if f["severity"] != "info"] for run in done.runs
    ]
    assert found == [["TRN004"], []]
    assert [f.code for f in done.report.findings if f.severity.label != "info"] == ["TRN004"]
