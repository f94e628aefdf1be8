"""The fixed cost of recording a command that does nothing: `ledger run -- true`, compared with other tools.

    python benchmarks/empty_run.py [--peers DIR] [--rounds N]

The others are `dvc exp run` on a stage whose command is `true`, and a plain MLflow script that runs `true`
between two tags on SQLite. Each has its own small git repository. All run once to warm up, which creates
their databases, then N times in turns, so that load on the machine affects all of them equally. The wall
time until the command returns is measured. The ledger's sender then continues in the background; the
benchmark waits for it outside the measured time, so that it does not slow the others. The tools are
searched in DIR/bin, on PATH and next to this Python; one that is missing is listed as absent.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from startup import find_peer

AIM_SECONDS = 1.0

DVC_STAGE = "stages:\n  nothing:\n    cmd: 'true'\n"
MLFLOW_SCRIPT = """\
import subprocess
import mlflow

mlflow.set_tracking_uri("sqlite:///mlflow.db")
mlflow.set_experiment("nothing")
with mlflow.start_run():
    mlflow.set_tag("command", "true")
    subprocess.run(["true"], check=True)
    mlflow.set_tag("exit_code", 0)
"""


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        commands = prepare(Path(folder), options.peers)
        seconds = measure(commands, Path(folder), options.rounds)
    print(f"an empty run until the prompt is back; medians of {options.rounds} rounds")
    report(seconds)


def prepare(folder: Path, peers: Path | None) -> dict[str, list[str]]:
    """Make a repository for each command, named after it; the command line of an absent tool is empty."""
    ledger = str(Path(sys.executable).with_name("ledger"))
    dvc = find_peer("dvc", peers)
    repository(folder / "ledger run -- true", {}, [[ledger, "init"]])
    made = [[dvc, "init", "-q"]] if dvc else []
    repository(folder / "dvc exp run", {"dvc.yaml": DVC_STAGE}, made)
    repository(folder / "mlflow script", {"nothing.py": MLFLOW_SCRIPT, ".gitignore": "mlflow.db\n"}, [])
    return {
        "ledger run -- true": [ledger, "run", "--", "true"],
        "dvc exp run": [dvc, "exp", "run", "--force", "--quiet"] if dvc else [],
        "mlflow script": [sys.executable, "nothing.py"] if find_peer("mlflow", None) else [],
    }


def repository(root: Path, files: dict[str, str], setup: list[list[str]]) -> None:
    """A git repository with the files, set up and committed."""
    root.mkdir()
    _quietly(["git", "init", "-q"], root)
    for name, content in files.items():
        (root / name).write_text(content)
    for command in setup:
        _quietly(command, root)
    _quietly(["git", "add", "-A"], root)
    _quietly(["git", "commit", "-q", "--allow-empty", "-m", "Begin"], root)


def measure(commands: dict[str, list[str]], folder: Path, rounds: int) -> dict[str, list[float]]:
    """Wall seconds by command and round, without the warm-up; empty for an absent tool."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            if not command:
                continue
            begun = time.perf_counter()
            _quietly(command, folder / name)
            if number:
                seconds[name].append(time.perf_counter() - begun)
            if name.startswith("ledger"):
                _quietly([command[0], "sync"], folder / name)
    return seconds


def report(seconds: dict[str, list[float]]) -> None:
    median = {name: statistics.median(times) for name, times in seconds.items() if times}
    own = median["ledger run -- true"]
    print(f"{'command':20} {'median s':>9} {'fastest s':>9}  relative to ledger")
    for name, times in seconds.items():
        if times:
            print(f"{name:20} {median[name]:9.3f} {min(times):9.3f}  {median[name] / own:.2f}x")
        else:
            print(f"{name:20} {'absent':>9}")
    print(f"aim: under {AIM_SECONDS} s: {'reached' if own < AIM_SECONDS else 'missed'}")
    print(json.dumps({"median_seconds": median}))


def _quietly(command: list[str], folder: Path) -> None:
    """Run a command that must succeed; print its output and exit if it fails."""
    identity = {
        f"GIT_{role}_{key}": "bench@example.org"
        for role in ("AUTHOR", "COMMITTER")
        for key in ("NAME", "EMAIL")
    }
    environment = {**os.environ, **identity, "DVC_NO_ANALYTICS": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}
    environment.pop("MLFLOW_TRACKING_URI", None)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed with exit code {done.returncode}:\n{done.stdout}{done.stderr}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="An empty recorded run, compared with dvc and MLflow.")
    parser.add_argument("--peers", type=Path, help="an environment that has dvc")
    parser.add_argument("--rounds", type=int, default=7)
    return parser.parse_args()


if __name__ == "__main__":
    main()
