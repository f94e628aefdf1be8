"""`ledger verify` from end to end: verdicts, the record, and the mark that is written last."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from ledger.checkpoints.folders import verified_path
from ledger.checkpoints.marks import newest_verified, read_mark, stated_mark
from ledger.cli.boundary import run_command
from ledger.cli.main import cli
from ledger.journal.store import open_journal
from ledger.workspace import Workspace
from runners.host.worker_process import WorkerDiedError

LEDGER = [str(Path(sys.executable).with_name("ledger"))]


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A repository; the current folder."""
    root = tmp_path / "repository"
    (root / "experiments").mkdir(parents=True)
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=root, check=True)
    monkeypatch.chdir(root)
    return Workspace(root)


@pytest.fixture
def checkpoint(healthy, tmp_path):
    return Path(shutil.copytree(healthy["marian"], tmp_path / "run" / "checkpoint-20"))


def entries(workspace, mode="real"):
    return [e for e in open_journal(workspace, mode).entries() if e.kind == "checkpoint.verified"]


def spoil(checkpoint):
    """Another save's weights: one tensor changed."""
    from safetensors.torch import load_file, save_file

    path = checkpoint / "model.safetensors"
    tensors = load_file(path)
    tensors["model.encoder.layers.0.fc1.weight"] += 1.0
    save_file(tensors, path, metadata={"format": "pt"})


def test_a_pass_is_recorded_and_then_marked(workspace, checkpoint, ledger):
    code, document, _ = ledger(checkpoint)
    assert (code, document["verdict"]) == (0, "pass")
    (one,) = document["checkpoints"]
    assert one["scores"]["memory"] == one["scores"]["reloaded"]
    assert one["scores"]["reloaded"]["scale"] == [0.0, 100.0]
    (entry,) = entries(workspace)
    assert entry.id == one["entry"] == read_mark(checkpoint).entry
    assert entry.body["step"] == 20
    assert entry.body["verdict"] == "pass"
    assert entry.body["evidence"].startswith("sha256:")
    environments = [e for e in open_journal(workspace, "real").entries() if e.kind == "environment"]
    assert entry.body["environment"] in {e.body["digest"] for e in environments}


def test_a_fault_fails_is_recorded_and_takes_the_mark_back(workspace, checkpoint, ledger):
    ledger(checkpoint)
    spoil(checkpoint)
    assert stated_mark(checkpoint) is not None
    assert read_mark(checkpoint) is None  # the files are not those that were verified
    code, document, _ = ledger(checkpoint)
    assert (code, document["verdict"]) == (1, "fail")
    assert "CKP005" in {found["code"] for found in document["findings"]}
    assert not verified_path(checkpoint).exists()
    assert [entry.body["verdict"] for entry in entries(workspace)] == ["pass", "fail"]


def test_a_checkpoint_does_not_pass_for_having_lost_its_evidence(workspace, checkpoint, ledger):
    spoil(checkpoint)
    code, document, _ = ledger(checkpoint)
    (failed,) = document["checkpoints"]
    assert (code, failed["levels"]) == (1, ["files", "reloaded", "tensors", "logits", "text"])
    assert [step["command"].split()[:2] for step in failed["next"]] == [
        ["ledger", "diff-env"],
        ["ledger", "verify"],
        ["ledger", "log"],
    ]
    shutil.rmtree(checkpoint / "ledger")
    code, document, said = ledger(checkpoint)
    (passed,) = document["checkpoints"]
    assert (code, passed["levels"], passed["next"]) == (0, ["files", "reloaded"], [])
    assert not passed["marked"]
    assert "an earlier verdict found CKP005" in said
    assert [entry.body["levels"] for entry in entries(workspace)] == [failed["levels"], passed["levels"]]


def test_a_stronger_mark_is_kept(outside, checkpoint, ledger, capfd):
    ledger(checkpoint)
    strong = read_mark(checkpoint)
    (checkpoint / "ledger" / "evidence.json").unlink()
    _, document, _ = ledger(checkpoint)
    assert document["checkpoints"][0]["marked"]
    assert read_mark(checkpoint) == strong
    verified_path(checkpoint).unlink()
    ledger(checkpoint)
    assert read_mark(checkpoint).levels == ("files", "reloaded")
    folder = str(checkpoint.parent)
    assert run_command(cli, ["verify", "--last", folder, "--level", "reloaded"]) == 0
    assert run_command(cli, ["verify", "--last", folder, "--level", "text"]) == 3
    assert "whose verdict rests on text" in capfd.readouterr().err


def test_lines_that_were_given_and_not_translated_are_no_pass(outside, checkpoint, ledger):
    shutil.rmtree(checkpoint / "ledger")
    for pattern in ("*token*", "*.spm", "vocab.json"):
        for path in checkpoint.glob(pattern):
            path.unlink()
    (outside / "in.ko").write_text("파일\n저장\n", "utf-8")
    code, document, _ = ledger(checkpoint, "--source", "in.ko")
    assert (code, document["verdict"]) == (3, "inconclusive")
    reasons = {skip["reason"] for skip in document["skips"] if skip.get("required")}
    assert reasons == {"the lines of --source were not translated: there is no tokenizer"}
    assert not verified_path(checkpoint).exists()
    assert ledger(checkpoint)[0] == 0, "without lines nothing else was asked for"


def test_a_worker_that_dies_costs_one_row(outside, checkpoint, ledger, monkeypatch):
    from ledger.commands.verify import verify

    real = verify.reload
    other = Path(shutil.copytree(checkpoint, checkpoint.parent / "checkpoint-9"))

    def dies(worker, path, *more):
        if path == other:
            raise WorkerDiedError("the worker process was killed (signal 9)", hint="")
        return real(worker, path, *more)

    monkeypatch.setattr(verify, "reload", dies)
    code, document, _ = ledger(other, checkpoint)
    assert code == 3
    assert [row["verdict"] for row in document["checkpoints"]] == ["inconclusive", "pass"]
    assert "was killed" in document["checkpoints"][0]["skips"][0]["reason"]


def test_each_verification_starts_an_interpreter_of_its_own(outside, checkpoint, interpreters, capfd):
    """Neither this process nor an earlier verification may lend its modules or its random state."""
    for _ in range(2):
        assert run_command(cli, ["verify", str(checkpoint), "--json"]) == 0
    first, second = interpreters["probe_checkpoint"]
    assert first != second
    assert os.getpid() not in {pid for pid, _ in (first, second)}
    assert not any(psutil.pid_exists(pid) for pid, _ in (first, second)), "each ends with its command"


def test_outside_a_ledger_it_is_verified_and_not_recorded(outside, checkpoint, ledger, capfd):
    code, document, _ = ledger(checkpoint)
    assert (code, document["checkpoints"][0]["entry"]) == (0, None)
    assert read_mark(checkpoint).entry is None
    assert run_command(cli, ["verify", str(checkpoint)]) == 0
    assert "nothing was recorded" in capfd.readouterr().out


def test_many_at_once_have_a_row_each_and_the_worst_decides(outside, checkpoint, ledger, healthy):
    bad = Path(shutil.copytree(healthy["t5"], checkpoint.parent / "checkpoint-30"))
    (bad / "model.safetensors").write_bytes(b"")
    code, document, _ = ledger(checkpoint, bad)
    assert code == 1
    assert [one["verdict"] for one in document["checkpoints"]] == ["pass", "fail"]
    assert newest_verified(checkpoint.parent) == checkpoint


def test_somebody_elses_checkpoint_is_checked_as_far_as_can_be(outside, checkpoint, ledger, lines):
    shutil.rmtree(checkpoint / "ledger")
    (outside / "in.ko").write_text("\n".join(line[0] for line in lines[:40]), "utf-8")
    (outside / "ref.ja").write_text("\n".join(line[1] for line in lines[:40]), "utf-8")
    asked = ("--source", "in.ko", "--reference", "ref.ja", "--lang", "ja", "--claim", "bleu=98.2")
    code, document, _ = ledger(checkpoint, *asked)
    assert code == 1
    codes = {found["code"] for found in document["findings"]}
    assert "CKP016" in codes  # random weights do not score 98.2
    skipped = {skip["code"]: skip["reason"] for skip in document["skips"]}
    assert "no evidence was written" in skipped["CKP005"]
    assert {"CKP001", "CKP002", "CKP003", "CKP004", "CKP014"} <= set(document["passed"])
    assert document["checkpoints"][0]["scores"]["memory"] is None
    assert document["checkpoints"][0]["scores"]["reloaded"]["value"] < 10


def started_training(workspace, run):
    body = {"run": run, "experiment": "exp10", "mode": "real", "spec": {"task": "training"}, "inputs": "i"}
    open_journal(workspace, "real").append("run.started", body)


@pytest.mark.parametrize("place", ["models/exp10/exp10-0a1b2c", ".ledger/runs/exp10-0a1b2c/snapshots"])
def test_a_save_of_our_own_training_without_its_evidence_is_not_believed(
    place, workspace, checkpoint, ledger
):
    """Its trainer was killed between the weights and the evidence: it is no foreign checkpoint."""
    started_training(workspace, "exp10-0a1b2c")
    own = workspace.root / place / "checkpoint-20"
    shutil.copytree(checkpoint, own)
    shutil.rmtree(own / "ledger")
    (own / "model.safetensors").touch()  # it is made once for all tests, perhaps long before this run
    code, document, _ = ledger(own)
    assert (code, document["verdict"]) == (3, "inconclusive")
    assert document["checkpoints"][0]["run"] == "exp10-0a1b2c"
    skipped = {skip["code"]: skip["reason"] for skip in document["skips"]}
    assert "the training ended first" in skipped["CKP005"]
    assert not verified_path(own).exists()
    assert [entry.body["verdict"] for entry in entries(workspace)] == ["inconclusive"]


def write_log(checkpoint, losses):
    state = {
        "global_step": 20,
        "log_history": [
            {"step": step, "loss": loss, "grad_norm": 0.5} for step, loss in enumerate(losses, start=1)
        ],
    }
    (checkpoint / "trainer_state.json").write_text(json.dumps(state), encoding="utf-8")


def test_the_trainers_own_log_is_looked_at(outside, checkpoint, ledger):
    codes = {"TRN001", "TRN002", "TRN003", "TRN004"}
    _, document, _ = ledger(checkpoint)
    assert codes <= {skip["code"] for skip in document["skips"]}, "it has no log"
    write_log(checkpoint, [9.0 - step / 4 for step in range(20)])
    code, document, _ = ledger(checkpoint)
    assert code == 0
    assert codes <= set(document["passed"])
    write_log(checkpoint, [5.0] * 10 + [float("nan")] * 10)
    code, document, _ = ledger(checkpoint)
    assert code == 1
    told = [found["message"] for found in document["findings"] if found["code"] == "TRN001"]
    assert any("step 11" in message for message in told), told


def test_the_repositorys_own_limits_hold_for_the_log(workspace, checkpoint, ledger):
    write_log(checkpoint, [5.0 + (step == 15) * 10 for step in range(20)])
    _, document, _ = ledger(checkpoint)
    assert "TRN004" in {found["code"] for found in document["findings"]}
    settings = workspace.root / "pyproject.toml"
    settings.write_text("[tool.ledger]\ntraining_limits = { spike_rise = 4.0 }\n", encoding="utf-8")
    _, document, _ = ledger(checkpoint)
    assert "TRN004" in document["passed"]
    settings.write_text("[tool.ledger]\ntraining_limits = { spike = 4.0 }\n", encoding="utf-8")
    code, _, said = ledger(checkpoint)
    assert code == 2
    assert "no limit is called spike" in said


def test_the_newest_verified_one_is_printed(outside, checkpoint, ledger, capfd):
    older = Path(shutil.copytree(checkpoint, checkpoint.parent / "checkpoint-9"))
    (older / "trainer_state.json").unlink()  # it tells step 20
    (older / "ledger" / "evidence.json").unlink()
    ledger(checkpoint, older)
    assert read_mark(older)
    capfd.readouterr()
    assert run_command(cli, ["verify", "--last", str(checkpoint.parent)]) == 0
    assert capfd.readouterr().out.strip() == str(checkpoint)
    (checkpoint / "config.json").write_text("{}")
    assert run_command(cli, ["verify", "--last", str(checkpoint.parent)]) == 0
    assert capfd.readouterr().out.strip() == str(older)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([], 2, "which checkpoint"),
        (["nowhere"], 3, "does not exist"),
        (["--last", "."], 3, "no verified checkpoint in ."),
        (["x", "--last", "."], 2, "--last takes no CHECKPOINT"),
        (["x", "--claim", "bleu"], 2, "METRIC=VALUE"),
        (["x", "--reference", "r"], 2, "--source"),
        (["x", "--source", "s", "--reference", "r"], 2, "--lang"),
        (["x", "--env", "a", "--python", "b"], 2, "one of them"),
    ],
)
def test_a_call_that_cannot_be_meant_is_said(arguments, code, says, outside, capfd):
    assert run_command(cli, ["verify", *arguments]) == code
    assert says in capfd.readouterr().err


def test_an_interpreter_that_is_none_is_said(outside, checkpoint, ledger):
    code, document, said = ledger(checkpoint, "--python", "/nonexistent/python")
    assert (code, document) == (3, None)
    assert "/nonexistent/python" in said
    assert not verified_path(checkpoint).exists()


def probe_of(process):
    """The worker that a `ledger verify` process started."""
    for _ in range(600):
        for child in psutil.Process(process.pid).children():
            if "bootstrap.py" in " ".join(child.cmdline()):
                return child
        time.sleep(0.05)
    raise AssertionError("no probe was started")


@pytest.mark.parametrize("delay", [0.0, 1.5])
def test_a_killed_probe_leaves_no_mark(delay, workspace, checkpoint):
    process = subprocess.Popen([*LEDGER, "verify", checkpoint], stderr=subprocess.PIPE, text=True)
    probe = probe_of(process)
    time.sleep(delay)
    probe.send_signal(signal.SIGKILL)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 3, said
    assert "killed" in said
    assert not verified_path(checkpoint).exists()
    assert not entries(workspace)


def test_a_killed_parent_leaves_no_mark_and_no_probe(workspace, checkpoint):
    process = subprocess.Popen([*LEDGER, "verify", checkpoint], stderr=subprocess.DEVNULL)
    probe = probe_of(process)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    probe.wait(30)
    assert not verified_path(checkpoint).exists()
    assert not entries(workspace)


def test_two_at_once_agree(workspace, checkpoint):
    command = [*LEDGER, "verify", checkpoint]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert len(entries(workspace)) == 2
    assert read_mark(checkpoint).entry in {entry.id for entry in entries(workspace)}


def test_what_changes_while_it_is_verified_is_not_marked(outside, checkpoint, ledger, monkeypatch):
    from ledger.commands.verify import verify

    real = verify.reload

    def slow(worker, path, question, files):
        result = real(worker, path, question, files)
        writer = threading.Thread(target=spoil, args=(path,))
        writer.start()
        writer.join()
        return result

    monkeypatch.setattr(verify, "reload", slow)
    _, document, said = ledger(checkpoint)
    assert document["checkpoints"][0]["marked"] is False
    assert "changed while it was being verified" in said
    assert not verified_path(checkpoint).exists()
