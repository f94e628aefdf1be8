import os
import subprocess
import sys

import pytest

from ledger.journal.store import open_journal


def test_lists_the_runs_with_the_latest_last(recorded, ledger):
    answer = ledger("log")
    assert answer.code == 0
    heading, *lines = answer.out.splitlines()
    assert heading.split() == ["run", "2026,", "UTC", "mode", "verdict", "BLEU", "findings"]
    assert [line.split()[0] for line in lines] == ["exp7-3fa91c", "exp5-0b77de", "exp6-91ac02"]
    assert [line.split()[4] for line in lines] == ["pass", "pass", "interrupted"]
    assert lines[0].endswith("(TXT003)")
    assert " 22.4 " in lines[0]
    assert max(map(len, answer.out.splitlines())) <= 80


def test_rehearsals_are_marked(recorded, ledger):
    body = {"run": "exp7-aaaaaa", "experiment": "exp7", "mode": "rehearsal"}
    open_journal(recorded, "rehearsal").append("run.started", body)
    assert ledger("log").out.splitlines()[-1].split()[3] == "rehearsal"


@pytest.mark.parametrize(
    ("options", "runs"),
    [
        (["-n", "1"], ["exp6-91ac02"]),
        (["--experiment", "exp7"], ["exp7-3fa91c"]),
        (["--verdict", "pass"], ["exp7-3fa91c", "exp5-0b77de"]),
        (["--verdict", "pass", "-n", "1"], ["exp5-0b77de"]),
        (["--verdict", "fail"], []),
        (["--all"], ["exp7-3fa91c", "exp5-0b77de", "exp6-91ac02"]),
        (["--all", "--experiment", "exp5"], ["exp5-0b77de"]),
    ],
)
def test_filters(recorded, ledger, options, runs):
    assert [run["run"] for run in ledger("log", *options, "--json").document["runs"]] == runs


def test_json_holds_each_metric_with_its_signature(recorded, ledger):
    [run] = ledger("log", "--experiment", "exp7", "--json").document["runs"]
    assert run["metrics"]["bleu"]["signature"].startswith("nrefs:1|case:mixed")
    assert run["findings"] == [
        {"code": "TXT003", "severity": "error", "accepted": "names stay in Latin script in this domain"}
    ]


def test_an_experiment_that_never_ran_is_reported_with_the_nearest_name(recorded, ledger):
    answer = ledger("log", "--experiment", "exq7")
    assert answer.code == 2
    assert "did you mean exp7" in answer.err
    assert answer.out == ""


def test_an_empty_journal_says_how_to_begin(recorded, ledger):
    recorded.journal.unlink()
    assert "no runs recorded yet" in ledger("log").out
    assert ledger("log", "--json").document == {"runs": [], "skipped": []}


def test_a_broken_line_points_to_fsck(recorded, ledger):
    text = recorded.journal.read_text()
    recorded.journal.write_text(f"<<<<<<< HEAD\n{text}")
    answer = ledger("log")
    assert answer.code == 3
    assert "line 1 is not a journal entry" in answer.err
    assert "ledger fsck" in answer.err
    assert "Traceback" not in answer.err


def test_a_folder_in_place_of_the_journal_is_reported(recorded, ledger):
    recorded.journal.unlink()
    recorded.journal.mkdir()
    answer = ledger("log")
    assert answer.code == 3
    assert answer.err.startswith("ledger: Is a directory")


def test_imports_nothing_heavy(recorded):
    program = (
        "import sys; from ledger.cli.main import cli; cli.main(['log'], standalone_mode=False);"
        "print({'git', 'pydantic', 'rich.console', 'rfc8785', 'filelock', 'mlflow'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, env=os.environ
    )
    # exp6 never finished, so its lock is looked for; there is none, so no lock library either.
    assert done.stdout.splitlines()[-1] == "set()"


def checkpoint(step, verdict):
    return {
        "step": step,
        "path": f"out/checkpoint-{step}",
        "verdict": verdict,
        "memory": 1.3,
        "reloaded": 1.34,
    }


@pytest.mark.parametrize(
    ("body", "shown", "verified"),
    [
        (
            {"verdict": "inconclusive", "unverified": [{"path": "out", "reason": "adapters"}] * 2},
            "inconclusive 0 of 2",
            {"verified": 0, "saved": 2},
        ),
        (
            {
                "verdict": "pass",
                "checkpoints": [checkpoint(1, "pass"), checkpoint(2, "inconclusive")],
                "metrics": {"bleu": {"value": 1.34, "signature": "nrefs:1"}, "bleu_memory": {"value": 1.3}},
            },
            "pass 1 of 2 1.3 sample",
            {"verified": 1, "saved": 2},
        ),
        (
            {
                "verdict": "pass",
                "checkpoints": [checkpoint(1, "pass")],
                "metrics": {"sample_bleu": {"value": 1.34}, "eval_bleu": {"value": 4.59}},
            },
            "pass 1 of 1 4.6 script",
            {"verified": 1, "saved": 1},
        ),
    ],
)
def test_a_training_says_what_was_verified_and_whose_score_it_has(recorded, ledger, body, shown, verified):
    head = {"run": "train-1", "experiment": "train", "mode": "command"}
    journal = open_journal(recorded, "real")
    journal.append("run.started", head)
    journal.append("run.finished", {**head, "status": "finished", "exit_code": 0, **body})
    line = next(line for line in ledger("log").out.splitlines() if line.startswith("train-1"))
    assert " ".join(line.split()[4:]) == shown
    run = ledger("log", "--json").document["runs"][-1]
    assert run["checkpoints"] == verified
    assert "bleu" not in run["metrics"]
