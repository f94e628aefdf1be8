"""What people record: `ledger note`, `ledger skip`, `ledger rate`."""

import io
from collections import Counter

import pytest

from ledger.journal.store import open_journal
from ledger.utils.hashing import digest_file

SPEC = "title: batch size\nmodel: {name: m}\n"


@pytest.fixture(autouse=True)
def named(monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.name")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "김민지")


@pytest.fixture
def readable(recorded):
    """A run of exp8 with its source and output."""
    files = {"in.ko": "가\n나\n다\n라\n", "out.ja": "あ\nい\nう\nえ\n"}
    facts = {}
    for name, text in files.items():
        (recorded.root / name).write_text(text, encoding="utf-8")
        facts[name] = {"path": name, "lines": 4, **digest_file(recorded.root / name)}
    head = {"run": "exp8-000001", "experiment": "exp8", "mode": "real"}
    journal = open_journal(recorded, "real")
    journal.append("run.started", {**head, "data": {"source": facts["in.ko"], "reference": None}})
    journal.append(
        "run.finished", {**head, "status": "finished", "verdict": "pass", "output": facts["out.ja"]}
    )
    return recorded


def test_a_note_about_a_run_is_shown_with_it(recorded, ledger):
    answer = ledger("note", "exp7-3fa91c", "the same model as exp5")
    assert (answer.code, answer.out) == (0, "noted about exp7-3fa91c by 김민지: the same model as exp5\n")
    assert "김민지: the same model as exp5" in ledger("show", "exp7").out
    [note] = ledger("show", "exp7", "--json").document["notes"]
    assert (note["run"], note["experiment"]) == ("exp7-3fa91c", "exp7")


def test_a_note_about_an_experiment_is_shown_with_each_of_its_runs(recorded, ledger):
    assert ledger("note", "exp7", "nothing new was measured", "--json").document["run"] is None
    assert "(about exp7): nothing new" in ledger("show", "exp7-3fa91c").out
    assert "nothing new" not in ledger("show", "exp5").out


def test_secrets_are_not_recorded(recorded, ledger):
    ledger("note", "exp7", "it ran with https://minji:hunter2@example.org/data")
    assert "hunter2" not in recorded.journal.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("note", "exq7", "text"), "no run or experiment"),
        (("note", "exp7", "  "), "needs its text"),
        (("skip", "exp7", "--why", ""), "needs its reason"),
        (("skip", "nothing-such", "--why", "x"), "no experiment is called"),
        (("rate", "nothing-such"), "no run or experiment"),
    ],
)
def test_what_cannot_be_recorded(recorded, ledger, arguments, says):
    before = recorded.journal.read_bytes()
    answer = ledger(*arguments)
    assert (answer.code, says in answer.err) == (2, True)
    assert recorded.journal.read_bytes() == before


def test_a_skipped_experiment_is_listed_until_it_is_run(recorded, ledger):
    (recorded.experiments / "exp2.yaml").write_text(SPEC, encoding="utf-8")
    assert ledger("skip", "exp2", "--why", "batch size changes speed, not text").code == 0
    last = ledger("log").out.splitlines()[-1]
    assert last.split()[0::2][:2] == ["exp2", "skipped"]
    assert "batch size changes speed, not text (김민지)" in last
    assert ledger("log", "--json").document["skipped"][0]["experiment"] == "exp2"
    assert "exp2" not in ledger("log", "--experiment", "exp7").out
    body = {"run": "exp2-000001", "experiment": "exp2", "mode": "real"}
    open_journal(recorded, "real").append("run.started", body)
    assert "skipped" not in ledger("log").out


def answer_with(monkeypatch, keys: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{key}\n" for key in keys)))


def test_judging_can_be_stopped_and_resumed(readable, ledger, monkeypatch):
    answer_with(monkeypatch, "rpq")
    stopped = ledger("rate", "exp8", "--lines", "4")
    assert stopped.code == 0
    assert "stopped; 2 of 4 lines left" in stopped.err
    assert not any(entry.kind == "rating" for entry in open_journal(readable, "real").entries())
    answer_with(monkeypatch, "ww")
    done = ledger("rate", "exp8", "--lines", "4", "--json").document
    assert done["counts"] == {"right": 1, "partly": 1, "wrong": 2}
    assert done["shares"]["wrong"] == {"share": 0.5, "interval": [0.5, 0.5]}
    entry = open_journal(readable, "real").entries()[-1]
    assert Counter(judged for _, judged in entry.body["judged"]) == {"right": 1, "partly": 1, "wrong": 2}
    assert sorted(line for line, _ in entry.body["judged"]) == [1, 2, 3, 4]
    assert "ratings by people" in ledger("show", "exp8").out


def test_back_asks_the_last_line_again_and_other_keys_ask_once_more(readable, ledger, monkeypatch):
    answer_with(monkeypatch, "rbx" + "wrrr")
    assert ledger("rate", "exp8", "--json").document["counts"] == {"right": 3, "partly": 0, "wrong": 1}


def test_source_and_output_are_shown(readable, ledger, monkeypatch):
    answer_with(monkeypatch, "q")
    shown = ledger("rate", "exp8").err
    assert any(pair[0] in shown and pair[1] in shown for pair in ("가あ", "나い", "다う", "라え"))


def test_an_overwritten_output_is_not_judged(readable, ledger):
    (readable.root / "out.ja").write_text("another\n", encoding="utf-8")
    answer = ledger("rate", "exp8")
    assert answer.code == 3
    assert "was changed since" in answer.err
