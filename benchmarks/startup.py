"""How long frequent commands take (`--help`, `log`, `show`, `compare`), compared with other tools.

    python benchmarks/startup.py [--peers DIR] [--rounds N] [--entries N]

Each command runs once to warm the file cache, then N times. The commands take turns, so that load on the
machine affects all of them equally; the median wall time is reported. The journal is synthetic: pairs of
run.started and run.finished with a resolved spec, an effective configuration and a report with samples,
each sealed like a real entry. The other tools are searched in DIR/bin, on PATH and next to this Python; one
that is missing is listed as absent.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ledger.findings import Json
from ledger.journal.store import Entry, seal

PEERS = (("dvc", "--version"), ("wandb", "--version"), ("mlflow", "--help"))
AIM_SECONDS = 0.3  # for `log`, and less than `dvc --version`
READING_AIM_SECONDS = (
    0.5  # for commands that read the whole journal; the outputs of the compared runs are not available
)


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        size = write_journal(Path(folder), options.entries)
        own = str(Path(sys.executable).with_name("ledger"))
        commands = {
            "ledger --help": [own, "--help"],
            f"ledger log ({options.entries:,} entries)": [own, "log"],
            "ledger log --code TXT003 --all": [own, "log", "--code", "TXT003", "--all"],
            "ledger show exp3": [own, "show", "exp3"],
            "ledger compare exp3 exp4 --json": [own, "compare", "exp3", "exp4", "--json"],
        }
        for name, argument in PEERS:
            found = find_peer(name, options.peers)
            commands[f"{name} {argument}"] = [found, argument] if found else []
        seconds = measure(commands, Path(folder), options.rounds)
    print(f"journal: {options.entries:,} entries, {size / 1e6:.1f} MB; medians of {options.rounds} rounds")
    report(seconds)


def write_journal(root: Path, entries: int) -> int:
    """Make `root` a workspace with a journal of that many entries; return the journal's size in bytes."""
    (root / "experiments").mkdir()
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    path = root / "experiments/ledger.jsonl"
    with path.open("wb") as file:
        last: Entry | None = None
        for number in range(entries):
            kind, body = (
                ("run.finished", finished(number)) if number % 2 else ("run.started", started(number))
            )
            last = seal(kind, body, [last.id] if last else [])
            file.write(last.line + b"\n")
    return path.stat().st_size


def head(number: int) -> dict[str, Json]:
    experiment = f"exp{number // 2 % 10}"
    return {"run": f"{experiment}-{number // 2:06x}", "experiment": experiment, "mode": "real"}


def started(number: int) -> dict[str, Json]:
    generation = {"num_beams": 3, "max_length": 128, "repetition_penalty": 2.0, "length_penalty": 0.5}
    model = {"name": "facebook/mbart-large-50-many-to-many-mmt", "dtype": "float16"}
    codes = {"source": "ko_KR", "target": "ja_XX"}
    digest = "sha256:" + f"{number:064x}"
    source = {"path": "data/test.ko", "md5": "0" * 32, "sha256": "0" * 64, "lines": 1000}
    return {
        **head(number),
        "inputs": digest,
        "spec_digest": digest,
        "spec": {"task": "generation", "model": model, "codes": codes, "generation": generation},
        "data": {"source": source, "reference": {**source, "path": "data/test.ja"}},
        "environment": digest,
        "machine": digest,
        "git": {"commit": "0" * 40, "branch": "main", "changed": ["train.py"]},
        "command": None,
        "preflight": {
            "verdict": "pass",
            "findings": [],
            "skips": [],
            "passed": ["PRE001", "PRE002", "PRE003"],
        },
        "resumed": False,
    }


def finished(number: int) -> dict[str, Json]:
    sample = {"number": 17, "output": "彼は student です", "source": "그는 학생입니다"}
    finding = {
        "code": "TXT003",
        "severity": "warning",
        "message": "11.9% of 1000 lines contain Latin words that are not in the source",
        "measured": 0.119,
        "threshold": 0.05,
        "evidence": {"count": 119, "worst": [sample] * 3},
    }
    score = {
        "value": 22.4,
        "signature": "nrefs:1|case:mixed|eff:no|tok:ja-mecab-0.996-IPA",
        "scale": [0, 100],
    }
    passed = ["TXT001", "TXT002", "TXT004", "TXT005", "TXT006", "TXT007"]
    return {
        **head(number),
        "status": "finished",
        "seconds": 412.5,
        "output": {
            "path": "outputs/exp.ja",
            "md5": f"{number:032x}",
            "sha256": f"{number:064x}",
            "lines": 1000,
            "bytes": 61_234,
        },
        "metrics": {"bleu": score, "chrf": score},
        "effective": {f"generation.option_{place}": place for place in range(40)},
        "batch_sizes": [20] * 10,
        "imported": ["torch", "transformers", "tokenizers", "sentencepiece", "numpy"],
        "report": {"verdict": "pass", "findings": [finding], "skips": [], "passed": passed},
        "verdict": "pass",
        "exit_code": None,
    }


def find_peer(name: str, extra: Path | None) -> str | None:
    near = [str(extra / "bin"), str(extra)] if extra else []
    return shutil.which(name, path=os.pathsep.join([*near, os.environ.get("PATH", "")])) or shutil.which(
        name, path=str(Path(sys.executable).parent)
    )


def measure(commands: dict[str, list[str]], folder: Path, rounds: int) -> dict[str, list[float]]:
    """Wall seconds per command and round; an empty list for a command that is absent or fails."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    alive = {
        name: command for name, command in commands.items() if command and _once(command, folder) is not None
    }
    for _ in range(rounds):
        for name, command in alive.items():
            took = _once(command, folder)
            if took is not None:
                seconds[name].append(took)
    return seconds


def report(seconds: dict[str, list[float]]) -> None:
    median = {name: statistics.median(times) for name, times in seconds.items() if times}
    log = next(value for name, value in median.items() if name.startswith("ledger log"))
    print(f"{'command':34} {'median s':>9} {'fastest s':>9}  relative to ledger log")
    for name, times in seconds.items():
        if times:
            print(f"{name:34} {median[name]:9.3f} {min(times):9.3f}  {median[name] / log:.2f}x")
        else:
            print(f"{name:34} {'absent':>9}")
    peer = median.get("dvc --version")
    compared = f", dvc --version {peer:.3f} s" if peer else ", dvc is absent"
    reached = log < AIM_SECONDS and (peer is None or log < peer)
    print(f"aim: {AIM_SECONDS} s and less than dvc --version: {'reached' if reached else 'missed'}{compared}")
    whole = ("ledger log --code", "ledger show", "ledger compare")
    slowest = max(value for name, value in median.items() if name.startswith(whole))
    result = "reached" if slowest < READING_AIM_SECONDS else "missed"
    print(f"aim: {READING_AIM_SECONDS} s to read the whole journal: {result}, at most {slowest:.3f} s")
    print(json.dumps({"median_seconds": median}))


def _once(command: list[str], folder: Path) -> float | None:
    begun = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    return time.perf_counter() - begun if done.returncode == 0 else None


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Start-up times, compared with dvc, wandb and mlflow.")
    parser.add_argument("--peers", type=Path, help="an environment that has dvc, wandb or mlflow")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--entries", type=int, default=10_000)
    return parser.parse_args()


if __name__ == "__main__":
    main()
