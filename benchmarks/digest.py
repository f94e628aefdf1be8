"""Digesting a 2.5 GB checkpoint, compared with sha256sum, b3sum and xxhsum.

    python benchmarks/digest.py [--gigabytes 2.5] [--shards 1] [--rounds 3]

A checkpoint of random safetensors is written to a temporary folder and read once, so that it is in the page
cache for all of them; then they digest it in turns. `files` is what a verified mark holds (every file of
the folder, with SHA-256); `tensors` is what evidence holds (each tensor by name, loaded by mmap, with
SHA-256). A peer that is not installed is listed as absent. One file is the hard case: sha256sum and xxhsum
read it with one core, b3sum with all.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

PEERS = {"sha256sum": ["sha256sum"], "b3sum": ["b3sum"], "xxhsum -H2": ["xxhsum", "-H2"]}
ROWS, COLUMNS = 8192, 1024  # one tensor: 32 MiB in float32


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = make_checkpoint(folder, options.gigabytes, options.shards)
        ways = {**own(folder), **peers(folder)}
        print(f"digesting {size / 1e9:.2f} GB in {options.shards} files, on {os.cpu_count()} cores; "
              f"medians of {options.rounds} rounds")  # fmt: skip
        seconds = measure({name: way for name, way in ways.items() if way}, options.rounds)
    report(ways, seconds, size)


def make_checkpoint(folder: Path, gigabytes: float, shards: int) -> int:
    """Write random tensors to `shards` files; return the number of bytes."""
    import torch
    from safetensors.torch import save_file

    count = max(shards, round(gigabytes * 1e9 / (ROWS * COLUMNS * 4)))
    for shard in range(shards):
        names = [f"layers.{number}.weight" for number in range(shard, count, shards)]
        tensors = {name: torch.rand(ROWS, COLUMNS) for name in names}
        save_file(tensors, folder / f"model-{shard + 1:05}-of-{shards:05}.safetensors")
    return sum(path.stat().st_size for path in folder.iterdir())


def own(folder: Path) -> dict[str, Callable[[], object] | None]:
    """The ledger's own methods."""
    from safetensors import safe_open

    from ledger.checkpoints.folders import digest_files
    from runners.worker.evidence.digests import digest_tensors

    def tensors() -> None:
        for path in sorted(folder.iterdir()):
            with safe_open(path, framework="pt") as file:
                digest_tensors({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118

    return {
        "ledger: files": lambda: digest_files(folder),
        "ledger: tensors": tensors,
    }


def peers(folder: Path) -> dict[str, Callable[[], object] | None]:
    """The other commands, None for those that are not installed."""
    files = [str(path) for path in sorted(folder.iterdir())]

    def run(command: list[str]) -> Callable[[], object]:
        return lambda: subprocess.run([*command, *files], check=True, capture_output=True)

    return {name: run(command) if shutil.which(command[0]) else None for name, command in PEERS.items()}


def measure(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median wall seconds per method, after one warm-up run."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            begun = time.perf_counter()
            way()
            if number:
                seconds[name].append(time.perf_counter() - begun)
    return {name: statistics.median(times) for name, times in seconds.items()}


def report(ways: dict[str, Callable[[], object] | None], seconds: dict[str, float], size: int) -> None:
    fastest = min((seconds[name] for name in PEERS if name in seconds), default=None)
    for name in ways:
        if name not in seconds:
            print(f"  {name:24} absent")
            continue
        ratio = f"  {seconds[name] / fastest:5.2f} x the fastest peer" if fastest else ""
        print(f"  {name:24} {seconds[name]:6.2f} s  {size / 1e9 / seconds[name]:5.2f} GB/s{ratio}")
    if fastest:
        print("aim: at most 1.00 x the fastest peer")
        for name, value in seconds.items():
            if name.startswith("ledger"):
                print(f"  {name:24} {'reached' if value <= fastest else 'missed'}")
    print(f"load when done: {os.getloadavg()[0]:.1f}")
    print(json.dumps({"seconds": seconds, "bytes": size}))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Digesting a checkpoint, compared with sha256sum and others."
    )
    parser.add_argument("--gigabytes", type=float, default=2.5)
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
