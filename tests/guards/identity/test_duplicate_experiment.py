import pytest

from guards.identity import duplicate_experiment
from ledger.evidence.identity import History, RunIdentity
from ledger.findings import Severity

OUTPUT = {"md5": "d41d", "sha256": "e3b0"}


def run(name, inputs="sha256:in", output=OUTPUT, day="2026-11-22"):
    return RunIdentity(name, name.split("-")[0], inputs, {}, output=output, time=f"{day}T06:15:30.123Z")


def before(experiment, inputs="sha256:in"):
    return RunIdentity("", experiment, inputs, {})


@pytest.mark.parametrize(
    "history",
    [
        [],
        [run("exp5-3fa91c", inputs="sha256:other")],
    ],
)
def test_an_unknown_experiment_passes(history):
    assert list(duplicate_experiment.inspect(History(history), before("exp7"))) == []


def test_another_name_for_a_recorded_experiment_is_refused():
    history = History([run("exp5-000001", day="2026-11-20"), run("exp5-3fa91c")])
    (finding,) = duplicate_experiment.inspect(history, before("exp7"))
    assert finding.severity is Severity.ERROR
    assert finding.message == (
        "exp7 is the same experiment as exp5 (last run exp5-3fa91c on 2026-11-22) under another name: "
        "same model, codes, generation settings and data; pass --again to repeat it"
    )
    assert finding.measured == 2
    assert [known["run"] for known in finding.evidence["runs"]] == ["exp5-000001", "exp5-3fa91c"]


def test_an_experiment_under_its_own_name_is_refused():
    (finding,) = duplicate_experiment.inspect(History([run("exp5-3fa91c")]), before("exp5"))
    assert finding.message == (
        "exp5 was already run with the same inputs (last run exp5-3fa91c on 2026-11-22); "
        "pass --again to repeat it"
    )


def test_a_training_which_writes_no_text_is_known_as_well():
    (finding,) = duplicate_experiment.inspect(History([run("exp10-3fa91c", output={})]), before("exp10"))
    assert finding.message.startswith("exp10 was already run")


def test_own_and_other_names_are_reported_in_one_finding():
    history = History([run("exp5-1"), run("exp7-1"), run("exp9-1")])
    (finding,) = duplicate_experiment.inspect(history, before("exp7"))
    assert "exp7 was already run" in finding.message
    assert "the same experiment as exp5 (last run exp5-1 on 2026-11-22) and exp9 (" in finding.message


def test_a_run_is_not_held_against_itself():
    assert list(duplicate_experiment.inspect(History([run("exp5-1")]), run("exp5-1"))) == []
