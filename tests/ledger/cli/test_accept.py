import pytest

from ledger.journal.store import open_journal

WARNED = {
    "findings": [{"code": "DUP001", "severity": "error", "message": "identical to exp5-000001"}],
    "skips": [],
    "passed": [],
}


@pytest.fixture
def flagged(recorded, monkeypatch):
    """A real run and a rehearsal of exp7 that fail on DUP001."""
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.name")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "김민지")
    for mode in ("real", "rehearsal"):
        head = {"run": f"exp7-{mode}", "experiment": "exp7", "mode": mode}
        open_journal(recorded, mode).append("run.started", head)
        open_journal(recorded, mode).append(
            "run.finished", {**head, "status": "finished", "verdict": "fail", "report": WARNED}
        )
    return recorded


@pytest.mark.parametrize("mode", ["real", "rehearsal"])
def test_accepts_in_the_journal_that_the_run_is_in(flagged, ledger, mode):
    answer = ledger("accept", f"exp7-{mode}", "dup001", "--why", "same on purpose")
    assert answer.code == 0
    assert answer.out.startswith(f"DUP001 of exp7-{mode} accepted by 김민지: same on purpose")
    assert answer.out.rstrip().endswith("verdict is now pass")
    newest = open_journal(flagged, mode).entries()[-1]
    assert newest.kind == "acceptance"
    assert newest.body == {
        "run": f"exp7-{mode}",
        "experiment": "exp7",
        "code": "DUP001",
        "why": "same on purpose",
        "who": "김민지",
    }
    assert ledger("show", f"exp7-{mode}", "--json").document["verdict"] == "pass"
    assert ledger("fsck").code == 0


def test_json_names_the_entry(flagged, ledger):
    document = ledger("accept", "exp7-real", "DUP001", "--why", "x", "--json").document
    assert document["entry"] == open_journal(flagged, "real").entries()[-1].id
    assert document["verdict"] == "pass"


def test_accepting_twice_records_once(flagged, ledger):
    ledger("accept", "exp7-real", "DUP001", "--why", "first")
    before = len(open_journal(flagged, "real").entries())
    answer = ledger("accept", "exp7-real", "DUP001", "--why", "second")
    assert answer.code == 0
    assert "was already accepted by 김민지: first" in answer.out
    assert len(open_journal(flagged, "real").entries()) == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["exp7-real", "TXT001", "--why", "x"], "no finding TXT001\n  it has DUP001"),
        (["exp6", "TXT001", "--why", "x"], "it has none"),
        (["exp99", "TXT001", "--why", "x"], "no run or experiment is called 'exp99'"),
        (["exp7-real", "DUP001", "--why", "  "], "needs its reason"),
        (["exp7-real", "DUP001"], "--why"),
    ],
)
def test_what_cannot_be_accepted_is_refused(flagged, ledger, arguments, says):
    before = flagged.journal.read_bytes()
    answer = ledger("accept", *arguments)
    assert answer.code == 2
    assert says in answer.err
    assert flagged.journal.read_bytes() == before
