"""Times and memory of commands on journals of many entries: `python benchmarks/journal.py [COUNT...]`."""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ledger.journal.store import seal

CALLS = {
    "append": ["note", "exp7", "a note"],
    "log": ["log"],
    "show": ["show", "exp7"],
    "fsck": ["fsck"],
    "run -- true": ["run", "--", "true"],
    "log --all": ["log", "--all"],
}
FILLER = {f"setting_{number}": f"value {number} of a run" for number in range(38)}  # to 1.9 KB an entry


def main() -> None:
    """Print a row for each size and command."""
    for count in map(int, sys.argv[1:] or ("1000", "10000", "100000")):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
            (root / "experiments").mkdir()
            (root / ".ledger").mkdir()
            write(root / "experiments" / "ledger.jsonl", count)
            measure(root, ["note", "exp7", "the first call makes the index"])
            for name, call in CALLS.items():
                seconds, memory = min(measure(root, call) for _ in range(3))
                print(f"{count:>7,}  {name:<12} {seconds:6.2f} s  {memory:5.0f} MB", flush=True)


def write(path: Path, count: int) -> None:
    """Runs with a start and an end, one after the other."""
    parents: list[str] = []
    with path.open("wb") as file:
        for number in range(count):
            kind = "run.finished" if number % 2 else "run.started"
            name = {"run": f"exp{number // 2 % 50}-{number // 2:06x}", "experiment": f"exp{number // 2 % 50}"}
            entry = seal(kind, {**name, "mode": "real", "spec": FILLER}, parents)
            file.write(entry.line + b"\n")
            parents = [entry.id]


def measure(root: Path, call: list[str]) -> tuple[float, float]:
    """Seconds, and MB of the largest process so far of this call."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    began = time.perf_counter()
    done = subprocess.run(  # noqa: PLW1510
        ["/usr/bin/env", "time", "-f", "%M", sys.executable, "-m", "ledger", *call],
        cwd=root,
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - began
    last = done.stderr.split()[-1] if done.stderr.split() else ""
    return seconds, (int(last) if last.isdigit() else max(before, 0)) / 1024


if __name__ == "__main__":
    main()
