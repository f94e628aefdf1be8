"""`ledger import` on real sources, from end to end."""

import json
import os
import pty
import shutil
import subprocess
from pathlib import Path

import pytest

from ledger.journal.store import open_journal
from ledger.workspace import Workspace
from tests.command import LEDGER

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture
def logged(repository):
    """A repository with the user's own log in it."""
    (repository.root / "docs").mkdir()
    shutil.copy(DATA / "mt-experiment-log.md", repository.root / "docs" / "log.md")
    return repository


def entries(repository):
    journal = open_journal(Workspace(repository.root), "real")
    return [entry for entry in journal.entries() if entry.kind == "run.imported"]


def test_a_log_becomes_ten_claims_and_a_second_import_adds_nothing(logged):
    document = logged.json("import", "docs/log.md")
    assert document["verdict"] == "pass", "contradictions are warnings"
    assert {f["code"] for f in document["findings"]} >= {"CLM001", "CLM002", "CLM005", "CLM006", "CLM007"}
    assert [run["recorded"] for run in document["runs"]] == [True] * 10
    assert document["source"]["path"] == "docs/log.md"
    assert document["source"]["digest"].startswith("sha256:")
    assert len(entries(logged)) == 10
    again = logged.json("import", "docs/log.md")
    assert not any(run["recorded"] for run in again["runs"])
    shutil.move(logged.root / "docs" / "log.md", logged.root / "moved.md")
    logged.json("import", "moved.md")
    assert len(entries(logged)) == 10, "the same claims from another path"
    assert logged.json("fsck")["verdict"] == "pass"


def test_two_imports_at_once_record_each_claim_once(logged):
    started = [logged.start("import", "docs/log.md") for _ in range(3)]
    assert [one.wait() for one in started] == [0, 0, 0]
    assert len(entries(logged)) == 10
    assert logged.json("fsck")["verdict"] == "pass"


def test_without_a_run_folder_the_journal_has_it_all_the_same(logged):
    (logged.root / ".ledger" / "runs").write_text("in the way")
    done = logged.ledger("import", "docs/log.md")
    assert done.returncode == 0
    assert "it will be incomplete in MLflow" in done.stderr
    assert len(entries(logged)) == 10


def test_a_log_that_has_grown_adds_what_is_new(logged):
    logged.json("import", "docs/log.md")
    with (logged.root / "docs" / "log.md").open("a", encoding="utf-8") as log:
        log.write("\n## Experiment 11: NLLB-200-1.3B\n\n**結果:** ✅ 成功\n\n- FAILED: 3件（0.3%）\n")
    document = logged.json("import", "docs/log.md")
    assert [run["experiment"] for run in document["runs"] if run["recorded"]] == ["exp11"]


def test_a_changed_claim_shows_as_the_runs_latest(logged):
    logged.json("import", "docs/log.md")
    path = logged.root / "docs" / "log.md"
    path.write_text(
        path.read_text("utf-8").replace("FAILED率: 98.5% (985/1000)", "FAILED率: 98.6% (986/1000)"), "utf-8"
    )
    (changed,) = [run for run in logged.json("import", "docs/log.md")["runs"] if run["recorded"]]
    shown = logged.json("show", "exp8")
    assert shown["run"] == changed["run"]
    assert shown["recorded"]["started"]["claims"]["rates"]["failed"] == pytest.approx(0.986)
    assert len(logged.json("log", "--all")["runs"]) == 10


def test_a_dry_run_records_nothing_and_needs_no_ledger(logged, tmp_path):
    logged.json("import", "docs/log.md", "--dry-run")
    assert entries(logged) == []
    shutil.copy(DATA / "english-log.md", tmp_path / "log.md")
    outside = type(logged)(tmp_path)
    assert len(outside.json("import", "log.md", "--dry-run")["runs"]) == 5
    refused = outside.ledger("import", "log.md")
    assert refused.returncode == 2
    assert "ledger init" in refused.stderr


def test_at_a_terminal_it_shows_what_it_read_and_records_nothing(logged):
    main, terminal = pty.openpty()
    done = subprocess.run(
        [str(LEDGER), "import", "docs/log.md"],
        cwd=logged.root,
        stdout=terminal,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(terminal)
    os.close(main)
    assert (done.returncode, "ledger import docs/log.md --record" in done.stderr) == (0, True)
    assert entries(logged) == []
    assert "already recorded" not in logged.ledger("import", "docs/log.md", "--record").stdout
    assert len(entries(logged)) == 10


def test_log_and_show_mark_claims(logged):
    logged.ledger("import", "docs/log.md")
    rows = {row["experiment"]: row for row in logged.json("log", "--all")["runs"]}
    assert {(row["mode"], row["status"], row["verdict"]) for row in rows.values()} == {
        ("imported", "claimed", None)
    }
    assert [f["code"] for f in rows["exp7"]["findings"]] == ["CLM002"]
    listed = logged.ledger("log").stdout
    assert "imported" in listed
    assert "claimed" in listed
    shown = logged.ledger("show", "exp7").stdout
    assert "claims of its source, not observations" in " ".join(shown.split())
    assert "facts.same_output_as" in shown


def test_claims_are_not_history(logged):
    """An imported exp5 does not prevent a run of exp5, and the name then means the observed run."""
    logged.ledger("import", "docs/log.md")
    logged.ledger("run", "--", "true")
    root = Workspace(logged.root)
    body = {"run": "exp5-abcdef", "experiment": "exp5", "mode": "real", "inputs": "sha256:x", "spec": {}}
    open_journal(root, "real").append("run.started", body)
    logged.ledger("import", "docs/log.md")
    assert logged.json("show", "exp5")["run"] == "exp5-abcdef"
    from ledger.journal.runs import load_runs

    claimed = [run for run in load_runs(root) if run.status == "claimed"]
    assert len(claimed) == 10
    assert all(run.verdict is None and run.claims for run in claimed)
    assert not any(run.status == "finished" and run.mode == "imported" for run in load_runs(root))


def test_a_contradiction_can_be_accepted(logged):
    logged.ledger("import", "docs/log.md")
    assert logged.json("accept", "exp6", "CLM001", "--why", "1.5, the shell history says")
    rows = {row["experiment"]: row for row in logged.json("log", "--all")["runs"]}
    assert rows["exp6"]["findings"][0]["accepted"] == "1.5, the shell history says"


def test_secrets_and_what_json_cannot_hold_are_kept_out(repository):
    folder = repository.root / "t5"
    folder.mkdir()
    (folder / "hparams.yaml").write_text(
        "api_key: abcdefgh12345678\nhub_token: hf_abcdefghijklmnopqrst\nlr: .nan\n"
        "big: 123456789012345678901234567890\nurl: https://me:secret@example.org/data?token=1\n"
        f"long: {'x' * 5000}\n"
    )
    repository.json("import", "t5", "--as", "lightning")
    (entry,) = entries(repository)
    text = entry.line.decode()
    assert not any(secret in text for secret in ("abcdefgh12345678", "hf_abc", "me:secret", "token=1"))
    params = entry.body["claims"]["params"]
    assert (params["lr"], params["big"]) == ("nan", "123456789012345678901234567890")
    assert len(params["long"]) < 2100


def test_series_go_to_mlflow_and_their_sum_to_the_journal(repository):
    folder = repository.root / "csv" / "version_0"
    folder.mkdir(parents=True)
    rows = "".join(f"{step},{step / 10}\n" for step in range(12_000))
    (folder / "metrics.csv").write_text(f"step,loss\n{rows}")
    (run,) = repository.json("import", "csv")["runs"]
    assert run["claims"]["series"]["loss"] == {
        "points": 12_000, "first": 0.0, "last": 1199.9, "min": 0.0, "max": 1199.9, "last_step": 11_999,
    }  # fmt: skip
    stored = (repository.root / ".ledger" / "runs" / run["run"] / "series.jsonl").read_text().splitlines()
    points = [json.loads(line) for line in stored]
    assert 3_000 < len(points) <= 5_000
    assert {point["name"] for point in points} == {"loss"}
    assert "12,000 points to step 11,999: first 0" in repository.ledger("show", run["run"]).stdout


@pytest.mark.parametrize(
    ("name", "content", "arguments", "code", "says"),
    [
        ("nothing", None, (), 3, "nothing does not exist"),
        ("x.bin", b"\x00\x01", (), 2, "unknown kind of source: x.bin"),
        ("runs.csv", b"a,bleu\n1,2\n", (), 2, "tables without a column that names runs cannot be imported"),
        ("events.out.tfevents.1.h", b"\x18", (), 3, "ends in the middle of a record"),
        ("x.md", b"", (), 3, "is empty"),
        ("x.md", "## 実験1".encode("cp932"), (), 3, "not UTF-8"),
        ("x.md", b"# Notes\n", (), 3, "names no experiment"),
        ("x.bin", b"\x00", ("--as", "wandb"), 3, "is not a W&B run"),
        ("x.wandb", b":W&B", (), 3, "can be read"),
        ("x.bin", b"\x00", ("--as", "mlflow"), 3, "is not an MLflow store"),
        ("x.bin", b"\x00", ("--as", "lightning"), 3, "is not a folder of a Lightning logger"),
        ("x.bin", b"\x00", ("--as", "huggingface"), 3, "is not a folder of the Hugging Face Trainer"),
        ("x.md", b"# x\n", ("--as", "aim"), 2, "Invalid value"),
    ],
)
def test_unusable_sources_are_named(repository, name, content, arguments, code, says):
    path = repository.root / name
    if content is not None:
        path.write_bytes(content)
    done = repository.ledger("import", name, *arguments)
    assert done.returncode == code
    assert says in done.stderr
    assert entries(repository) == []
