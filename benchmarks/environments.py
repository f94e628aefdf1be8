"""How long `ledger env build` takes for a cached environment, compared with pip and uv with nothing to do.

    python benchmarks/environments.py [--files N] [--rounds N]

The environment is built from a wheel of N small files, about as many as torch, transformers and their
dependencies have. Each command runs once to warm the file cache, then the commands take turns; the median
wall time is reported.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

AIM_SECONDS = 1.0
OWN = str(Path(sys.executable).with_name("ledger"))


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        wheels = root / "wheels"
        wheels.mkdir()
        lockfile = root / "many.txt"
        lockfile.write_text(make_wheel(wheels, options.files))
        variables = {
            **os.environ,
            "LEDGER_ENVIRONMENTS": str(root / "environments"),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(wheels),
            "UV_NO_INDEX": "1",
            "UV_FIND_LINKS": str(wheels),
        }
        build = [OWN, "env", "build", str(lockfile)]
        first, python = run(build, variables)
        given = ["install", "--require-hashes", "-r", str(lockfile)]
        commands = {
            "ledger env build, cached": build,
            "pip install, nothing to do": [sys.executable, "-m", "pip", "--python", python, *given],
            "uv pip install, nothing to do": ["uv", "pip", *given, "--python", python],
        }
        seconds = measure(commands, variables, options.rounds)
    print(f"{options.files:,} files; first build {first:.1f} s; medians of {options.rounds} rounds")
    report(seconds)


def make_wheel(folder: Path, files: int) -> str:
    """Write a wheel of that many modules; return its pin."""
    path = folder / "many-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for number in range(files):
            wheel.writestr(f"many/part{number % 500}/module{number}.py", f"NUMBER = {number}\n")
        wheel.writestr("many-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: many\nVersion: 1.0\n")
        wheel.writestr("many-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("many-1.0.dist-info/RECORD", "")
    return f"many==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def run(command: list[str], variables: dict[str, str]) -> tuple[float, str]:
    """Wall seconds and stdout. Raises if the command is absent or fails."""
    begun = time.perf_counter()
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    return time.perf_counter() - begun, done.stdout.strip()


def measure(commands: dict[str, list[str]], variables: dict[str, str], rounds: int) -> dict[str, list[float]]:
    """Wall seconds per command and round, without the first; an empty list for an absent command."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    absent = set()
    for place in range(rounds + 1):
        for name, command in commands.items():
            if name in absent:
                continue
            try:
                took, _ = run(command, variables)
            except (OSError, subprocess.CalledProcessError):
                absent.add(name)
            else:
                seconds[name] += [took] if place else []
    return seconds


def report(seconds: dict[str, list[float]]) -> None:
    median = {name: statistics.median(times) for name, times in seconds.items() if times}
    for name, times in seconds.items():
        print(f"{name:34} " + (f"{median[name]:9.3f} s" if times else f"{'absent':>9}"))
    own = next(iter(median.values()))
    print(f"aim: under {AIM_SECONDS} s: {'reached' if own < AIM_SECONDS else 'missed'}")
    print(json.dumps({"median_seconds": median}))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Building an environment that is cached already.")
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=7)
    return parser.parse_args()


if __name__ == "__main__":
    main()
