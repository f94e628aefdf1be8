"""`ledger run -- CMD`, through the installed command."""

import json
import os
import signal
import time

import pytest


def bodies(repository):
    path = repository.root / "experiments" / "ledger.jsonl"
    entries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {entry["kind"]: entry["body"] for entry in entries}


def test_the_command_has_the_terminal_and_the_ledger_speaks_beside_it(repository):
    done = repository.ledger("run", "--", "sh", "-c", "cat; echo out; echo err >&2; echo $LEDGER_RUN")
    run = bodies(repository)["run.finished"]["run"]
    assert done.stdout == f"out\n{run}\n"
    assert "err\n" in done.stderr
    assert f"ledger: {run} finished" in done.stderr
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("script", "code"), [("exit 7", 7), ("kill -TERM $$", 128 + signal.SIGTERM), ("kill -KILL $$", 128 + 9)]
)
def test_a_command_that_fails_is_recorded_and_its_code_told(repository, script, code):
    document = repository.json("run", "--json", "sweep", "--", "sh", "-c", script, exits=3)
    assert document["exit_code"] == code
    assert document["experiment"] == "sweep"
    assert bodies(repository)["run.finished"]["status"] == "failed"
    assert repository.json("log", "--experiment", "sweep")["runs"][0]["status"] == "failed"


def test_no_such_program_is_usage_and_leaves_no_entry(repository):
    done = repository.ledger("run", "--", "no-such-program")
    assert done.returncode == 2
    assert "no-such-program" in done.stderr
    assert not (repository.root / "experiments" / "ledger.jsonl").exists()


@pytest.mark.parametrize("name", ["../outside", "a/b", ".hidden", ""])
def test_a_name_that_is_none_is_usage(repository, name):
    done = repository.ledger("run", name, "--", "true")
    assert done.returncode == 2 if name else done.returncode == 0
    assert not list(repository.root.parent.glob("outside*"))


def test_a_program_that_cannot_be_started_is_a_failed_run(repository):
    script = repository.root / "no-shebang"
    script.write_text("echo never\n")
    script.chmod(0o755)
    assert repository.ledger("run", "--", "./no-shebang").returncode == 3
    (run,) = repository.json("log")["runs"]
    assert run["status"] == "failed"


def test_a_command_that_ends_by_interrupt_is_an_interrupt(repository):
    document = repository.json("run", "--json", "--", "sh", "-c", "kill -INT $$", exits=130)
    (run,) = repository.json("log")["runs"]
    assert document["verdict"] == run["verdict"] == "fail"


def test_secrets_on_the_command_line_are_not_recorded(repository):
    secret = "hf_" + "a" * 34
    url = "https://ana:s3cret@example.org/repo?token=s3cret"
    repository.ledger("run", "--", "true", "--api-key", secret, f"HF_TOKEN={secret}", url)
    written = [path for path in repository.root.rglob("*") if path.is_file() and ".git/" not in str(path)]
    everything = b"".join(path.read_bytes() for path in written)
    assert b"--api-key" in everything
    assert secret.encode() not in everything
    assert b"s3cret" not in everything


def test_interrupted_the_command_ends_in_its_own_way_and_is_recorded(repository):
    script = "trap 'sleep 0.3; exit 5' INT; touch ready; while :; do sleep 0.05; done"
    process = repository.start("run", "--", "sh", "-c", script, start_new_session=True)
    while not (repository.root / "ready").exists():
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 3
    assert bodies(repository)["run.finished"]["exit_code"] == 5


def ignore_interrupts():
    """As a shell does for background jobs, before it starts them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@pytest.mark.parametrize(("name", "code"), [("INT", 5), ("TERM", 6)])
def test_a_command_ends_when_asked_though_interrupts_were_ignored(repository, name, code):
    script = "trap 'sleep 0.3; exit 5' INT; trap 'exit 6' TERM; touch ready; while :; do sleep 0.05; done"
    options = {"start_new_session": True, "preexec_fn": ignore_interrupts}
    process = repository.start("run", "--", "sh", "-c", script, **options)
    while not (repository.root / "ready").exists():
        assert process.poll() is None
        time.sleep(0.05)
    if name == "INT":
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    else:
        process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 3
    assert bodies(repository)["run.finished"]["exit_code"] == code


def test_what_no_sender_sent_is_sent_by_sync(repository):
    repository.ledger("run", "--", "true")
    assert not (repository.root / ".ledger" / "mlflow.db").exists()
    assert repository.ledger("sync").returncode == 0
    assert (repository.root / ".ledger" / "mlflow.db").exists()
