"""`ledger diff-env` of this environment against a lockfile, compared with `pip freeze` and `pip inspect`.

    python benchmarks/diff_env.py [--lockfile FILE] [--rounds N]

All three list the installed packages. ledger also compares them with the lockfile, checks whether the code
of pinned packages was changed after installation, and ranks and renders the differences. The commands take
turns, so that load on the machine affects all of them equally, after one warm-up run each. The output is
wall seconds, CPU seconds of the process, which depend less on the load, and the median of the ratios within
a round.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

LOCKFILE = Path(__file__).parents[1] / "lockfiles" / "mt-4.57.6-cpu.txt"
OWN = "ledger diff-env"


def main() -> None:
    options = _options()
    commands = {
        OWN: [str(Path(sys.executable).with_name("ledger")), "diff-env", "current", str(options.lockfile)],
        "pip freeze": [sys.executable, "-m", "pip", "freeze"],
        "pip inspect": [sys.executable, "-m", "pip", "inspect"],
    }
    rounds = [
        {name: _seconds(command) for name, command in commands.items()} for _ in range(options.rounds + 1)
    ][1:]
    _report(rounds)


def _seconds(command: list[str]) -> tuple[float, float]:
    """Wall and CPU seconds of one call. Exit code 1 (differences found) is not a failure."""
    before, begun = os.times(), time.perf_counter()
    done = subprocess.run(command, capture_output=True, check=False)
    wall, after = time.perf_counter() - begun, os.times()
    if done.returncode not in (0, 1) or not done.stdout:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr.decode(errors='replace')}")
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    return wall, cpu


def _report(rounds: list[dict[str, tuple[float, float]]]) -> None:
    print(f"medians of {len(rounds)} rounds")
    print(f"{'command':16} {'wall s':>8} {'CPU s':>8}  ledger / command, wall and CPU")
    ratios = {}
    for name in rounds[0]:
        wall, cpu = (statistics.median(one[name][clock] for one in rounds) for clock in (0, 1))
        shares = [statistics.median(one[OWN][clock] / one[name][clock] for one in rounds) for clock in (0, 1)]
        ratios[name] = shares
        print(f"{name:16} {wall:8.3f} {cpu:8.3f}  {shares[0]:.2f}, {shares[1]:.2f}")
    print(f"aim: under pip freeze: {'reached' if ratios['pip freeze'][0] < 1 else 'missed'}")
    print(json.dumps({"ratios": ratios}))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="ledger diff-env compared with pip freeze and pip inspect.")
    parser.add_argument("--lockfile", type=Path, default=LOCKFILE)
    parser.add_argument("--rounds", type=int, default=9)
    return parser.parse_args()


if __name__ == "__main__":
    main()
