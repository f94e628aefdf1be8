from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import UsageError
from ledger.findings import Verdict
from ledger.journal import runs as runs_module
from ledger.journal.runs import find, is_alive, latest_runs, load_runs, read_runs
from ledger.journal.store import Journal, open_journal
from ledger.workspace import Workspace

V1 = Path(__file__).parents[2] / "data" / "journals" / "v1.jsonl"


@pytest.fixture
def v1(tmp_path):
    return Journal(V1, tmp_path).entries()


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "experiments").mkdir()
    return Workspace(tmp_path)


def start(workspace, run, mode="real", **more):
    body = {"run": run, "experiment": run.rpartition("-")[0], "mode": mode, **more}
    return open_journal(workspace, mode).append("run.started", body)


def finish(workspace, run, mode="real", **more):
    body = {"run": run, "experiment": run.rpartition("-")[0], "mode": mode, "status": "finished", **more}
    return open_journal(workspace, mode).append("run.finished", body)


def accept(workspace, run, code, experiment="exp7"):
    body = {"run": run, "experiment": experiment, "code": code, "why": "meant so", "who": "minji"}
    return open_journal(workspace, "real").append("acceptance", body)


def failing(*codes):
    findings = [
        {"code": code, "severity": "error", "message": "m", "measured": 1, "threshold": 0, "evidence": {}}
        for code in codes
    ]
    return {"verdict": "fail", "report": {"verdict": "fail", "findings": findings, "skips": [], "passed": []}}


def test_a_ledger_of_schema_1_amounts_to_its_runs(v1):
    runs = {run.id: run for run in read_runs(v1)}
    assert list(runs) == ["exp7-3fa91c", "exp5-0b77de", "exp6-91ac02"], "oldest first, whatever the merge did"
    assert [run.status for run in runs.values()] == ["finished", "finished", "interrupted"]
    assert [run.verdict for run in runs.values()] == [Verdict.PASS, Verdict.PASS, None]
    [finding] = runs["exp7-3fa91c"].report.findings
    assert finding.accepted == "names stay in Latin script in this domain"
    assert runs["exp7-3fa91c"].finished["verdict"] == "fail", "the record itself stays"


def test_an_identity_carries_both_digests(v1):
    identity = read_runs(v1)[0].identity()
    assert identity.output == {"md5": "6" * 32, "sha256": "7" * 64}
    assert identity.inputs == "sha256:" + "1" * 64
    assert identity.environment == "sha256:" + "4" * 64
    assert identity.spec["generation"]["num_beams"] == 3
    assert read_runs(v1)[-1].identity().output == {}


def test_a_run_without_an_end_is_running_while_its_lock_is_held(workspace):
    start(workspace, "exp7-000001")
    folder = workspace.runs / "exp7-000001"
    assert load_runs(workspace)[0].status == "interrupted"
    folder.mkdir(parents=True)
    with FileLock(folder / "lock"):
        assert is_alive(workspace.runs, "exp7-000001")
        assert load_runs(workspace)[0].status == "running"
    assert load_runs(workspace)[0].status == "interrupted"
    finish(workspace, "exp7-000001")
    assert load_runs(workspace)[0].status == "finished"


def test_a_failed_run_that_was_resumed_is_one_run(workspace):
    first = start(workspace, "exp7-000001")
    finish(workspace, "exp7-000001", status="failed", error="no space")
    assert [run.status for run in load_runs(workspace)] == ["failed"]
    assert load_runs(workspace)[0].verdict is None
    start(workspace, "exp7-000001", resumed=True)
    assert [run.status for run in load_runs(workspace)] == ["interrupted"]
    finish(workspace, "exp7-000001", verdict="pass")
    [run] = load_runs(workspace)
    assert (run.status, run.verdict, run.time, len(run.entries)) == ("finished", "pass", first.time, 4)


def test_an_acceptance_waives_one_code_of_one_run(workspace):
    for run in ("exp7-000001", "exp7-000002"):
        start(workspace, run)
        finish(workspace, run, **failing("DUP001", "TXT001"))
    accept(workspace, "exp7-000001", "DUP001")
    assert [run.verdict for run in load_runs(workspace)] == ["fail", "fail"]
    accept(workspace, "exp7-000001", "TXT001")
    assert [run.verdict for run in load_runs(workspace)] == ["pass", "fail"]


def test_an_acceptance_for_the_experiment_holds_for_its_runs_until_then(workspace):
    for number in (1, 2, 3):
        if number == 3:
            accept(workspace, None, "DUP001")
        start(workspace, f"exp7-00000{number}")
        finish(workspace, f"exp7-00000{number}", **failing("DUP001"))
    start(workspace, "exp5-000004")
    finish(workspace, "exp5-000004", **failing("DUP001"))
    assert [run.verdict for run in load_runs(workspace)] == ["pass", "pass", "fail", "fail"]


def test_a_verdict_that_no_finding_explains_stays(workspace):
    """A recorded command that exited 1 failed, although no guard looked at it."""
    start(workspace, "make-000001", mode="command")
    finish(workspace, "make-000001", mode="command", verdict="fail", report=None)
    assert load_runs(workspace)[0].verdict is Verdict.FAIL


def test_rehearsals_stand_between_the_others_by_time_and_are_marked(workspace):
    for run, mode in (("exp5-000001", "real"), ("exp7-000002", "rehearsal"), ("exp5-000003", "real")):
        start(workspace, run, mode)
    assert [(run.id, run.is_rehearsal) for run in load_runs(workspace)] == [
        ("exp5-000001", False), ("exp7-000002", True), ("exp5-000003", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("exp7", "exp7-bbb222"),
        ("exp7-aaa111", "exp7-aaa111"),
        ("exp7-a", "exp7-aaa111"),
        ("exp10", "exp10-ccc333"),
    ],
)
def test_a_run_is_found_by_id_beginning_or_experiment(workspace, name, found):
    for run in ("exp7-aaa111", "exp7-bbb222", "exp10-ccc333"):
        start(workspace, run)
    assert find(load_runs(workspace), name).id == found


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("exp", "3 runs begin with 'exp'.*exp7-aaa111, exp7-bbb222, exp10-ccc333"),
        ("epx7", "called 'epx7'.*did you mean exp7"),
        ("", "called ''"),
        ("zzz", "ledger log --all"),
    ],
)
def test_what_is_not_found_is_told_with_what_is_near(workspace, name, says):
    for run in ("exp7-aaa111", "exp7-bbb222", "exp10-ccc333"):
        start(workspace, run)
    with pytest.raises(UsageError, match=f"(?s){says}"):
        find(load_runs(workspace), name)


def test_with_nothing_recorded_the_hint_is_how_to_begin():
    with pytest.raises(UsageError, match="nothing is recorded yet"):
        find([], "exp7")


events = st.lists(
    st.tuples(st.sampled_from(["start", "finish", "resume", "accept"]), st.integers(0, 4), st.booleans()),
    max_size=25,
)


@settings(max_examples=30, deadline=None)
@given(events, st.integers(1, 6))
def test_the_latest_are_the_last_of_all(tmp_path_factory, listed, count):
    """Reading only the end of the journal tells the same as reading all of it."""
    workspace = Workspace(tmp_path_factory.mktemp("w"))
    workspace.experiments.mkdir()
    begun = set()
    for what, number, rehearsal in listed:
        run = f"exp{number}-00000{number}{int(rehearsal)}"
        mode = "rehearsal" if rehearsal else "real"
        if what == "start" and run not in begun:
            begun.add(run)
            start(workspace, run, mode)
        elif run in begun and what == "resume":
            start(workspace, run, mode, resumed=True)
        elif run in begun and what == "finish":
            finish(workspace, run, mode, **failing("TXT001"))
        elif run in begun and what == "accept" and not rehearsal:
            accept(workspace, run, "TXT001")
    assert latest_runs(workspace, count) == load_runs(workspace)[-count:]


def test_the_latest_read_no_more_bodies_than_they_need(workspace, monkeypatch):
    for number in range(50):
        start(workspace, f"exp7-{number:06}")
        finish(workspace, f"exp7-{number:06}")
    seen = []
    real = runs_module.read_runs
    monkeypatch.setattr(
        runs_module, "read_runs", lambda entries, alive: seen.append(len(entries)) or real(entries, alive)
    )
    assert [run.id for run in latest_runs(workspace, 2)] == ["exp7-000048", "exp7-000049"]
    assert seen == [4, 0]
