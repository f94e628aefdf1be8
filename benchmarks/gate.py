"""How long `ledger gate` takes on a long journal, without rehearsals.

    python benchmarks/gate.py [--rounds N] [--entries N]

The journal is that of benchmarks/startup.py. All but its last ten entries are committed on main; the work
tree, a branch with five new runs, is compared with it. `ledger fsck`, whose work is part of the gate's, and
`git diff` of the journal are measured for comparison. The commands take turns; the median wall time is
reported.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from startup import measure, write_journal

NEW_ENTRIES = 10
AIM_SECONDS = 2.0


def main() -> None:
    parser = argparse.ArgumentParser(description="ledger gate on a long journal.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--entries", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        size = make_branch(Path(folder), options.entries)
        own = str(Path(sys.executable).with_name("ledger"))
        commands = {
            "ledger gate --base main": [own, "gate", "--base", "main"],
            "ledger fsck": [own, "fsck"],
            "git diff --stat main": ["git", "diff", "--stat", "main"],
        }
        seconds = measure(commands, Path(folder), options.rounds)
    print(f"journal: {options.entries:,} entries, {size / 1e6:.1f} MB, of which {NEW_ENTRIES} are new")
    report(seconds)


def make_branch(root: Path, entries: int) -> int:
    """Make a repository whose main lacks the journal's last entries; return the journal's size in bytes."""
    size = write_journal(root, entries)
    journal = root / "experiments/ledger.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(b"".join(whole.splitlines(keepends=True)[:-NEW_ENTRIES]))
    identity = ["-c", "user.name=Ana", "-c", "user.email=ana@example.org"]
    for command in (
        ["git", "checkout", "-q", "-b", "main"],
        ["git", "add", "--all"],
        ["git", *identity, "commit", "-qm", "results"],
        ["git", "checkout", "-q", "-b", "feature"],
    ):
        subprocess.run(command, cwd=root, check=True)
    journal.write_bytes(whole)
    return size


def report(seconds: dict[str, list[float]]) -> None:
    median = {name: statistics.median(times) for name, times in seconds.items() if times}
    for name, times in seconds.items():
        times_text = f"{median[name]:9.3f} {min(times):9.3f}" if times else f"{'failed':>9}"
        print(f"{name:34} {times_text}")
    gate = median["ledger gate --base main"]
    print(f"aim: {AIM_SECONDS} s: {'reached' if gate < AIM_SECONDS else 'missed'}")
    print(json.dumps({"median_seconds": median}))


if __name__ == "__main__":
    main()
