"""`ledger run -- CMD`, through the installed command."""

import json
import os
import signal
import time
from contextlib import suppress

import psutil
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


def start_and_wait(repository, script, *words, **options):
    """A session of its own, as under SLURM, Docker or systemd, and the command in it that has begun."""
    process = repository.start(
        "run", "sweep", "--", "sh", "-c", script, *words, start_new_session=True, **options
    )
    while not (repository.root / "ready").exists():
        assert process.poll() is None
        time.sleep(0.05)
    return process


def ignore_interrupts():
    """As a shell does for background jobs, before it starts them. Tests may run under nohup."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


TRAPS = "".join(
    f"trap 'sleep 0.3; exit {number}' {name};" for name, number in [("INT", 5), ("TERM", 6), ("HUP", 7)]
)


@pytest.mark.parametrize(
    ("name", "code", "to_group"), [("INT", 5, False), ("TERM", 6, True), ("HUP", 7, False)]
)
def test_the_command_ends_in_its_own_way_and_is_recorded_as_interrupted(repository, name, code, to_group):
    script = f"{TRAPS} touch ready; while :; do sleep 0.05; done"
    process = start_and_wait(repository, script, preexec_fn=ignore_interrupts)
    (os.killpg if to_group else os.kill)(process.pid, signal.Signals[f"SIG{name}"])
    errors = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    ended = bodies(repository)["run.finished"]
    assert (ended["exit_code"], ended["status"], ended["signal"]) == (code, "interrupted", f"SIG{name}")
    assert f"interrupted by SIG{name}" in errors
    (run,) = repository.json("log")["runs"]
    assert (run["status"], run["verdict"]) == ("interrupted", "inconclusive")


def test_nothing_of_a_command_that_ignores_signals_is_left(repository):
    (repository.root / "pyproject.toml").write_text("[tool.ledger]\ngrace = 0.5\n")
    deaf = "import signal, time\n[signal.signal(n, signal.SIG_IGN) for n in (1, 2, 15)]\n"
    deaf += "open('ready', 'w')\ntime.sleep(99)"
    process = start_and_wait(repository, f'python3 -c "{deaf}" & echo $! > pid; wait; wait')
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert bodies(repository)["run.finished"]["signal"] == "SIGTERM"
    with suppress(psutil.NoSuchProcess):
        left = psutil.Process(int((repository.root / "pid").read_text()))
        assert left.status() == psutil.STATUS_ZOMBIE  # nobody waits for it where no init does


def test_a_scheduler_s_warning_reaches_the_command_and_does_not_end_it(repository):
    script = "trap 'touch warned' USR1; touch ready; while [ ! -e warned ]; do sleep 0.05; done"
    process = start_and_wait(repository, script)
    process.send_signal(signal.SIGUSR1)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert bodies(repository)["run.finished"]["status"] == "finished"


def test_no_second_trainer_begins_in_the_folder_of_one_that_lives(repository):
    script = "touch ready; echo $$ > pid; while [ ! -e stop ]; do sleep 0.05; done"
    process = start_and_wait(repository, script, "x", "--output_dir=out")
    process.kill()
    process.wait()
    try:
        assert [run["status"] for run in repository.json("log")["runs"]] == [
            "running"
        ]  # the command is alive
        command = ("run", "again", "--", "sh", "-c", "true", "x", "--output_dir", "out")
        done = repository.ledger(*command)
        assert (done.returncode, "still trains in out" in done.stderr) == (3, True), done.stderr
    finally:
        (repository.root / "stop").touch()
    while psutil.pid_exists(int((repository.root / "pid").read_text())):
        time.sleep(0.05)
    assert repository.ledger(*command).returncode == 0


def test_what_no_sender_sent_is_sent_by_sync(repository):
    repository.ledger("run", "--", "true")
    assert not (repository.root / ".ledger" / "mlflow.db").exists()
    assert repository.ledger("sync").returncode == 0
    assert (repository.root / ".ledger" / "mlflow.db").exists()
