"""A manifest of an environment as it was built, and a quick check that it is still complete.

The check compares the size of every file and starts the environment's Python. It misses edits that keep a
file's size, and added files.
"""

import os
import platform
import subprocess
from collections.abc import Iterator
from pathlib import Path

import orjson

from ledger.environments.lockfile import Lockfile

NAME = "ledger.json"
PARTIAL = ".partial"  # suffix of a folder that is being filled or deleted
START_SECONDS = 60.0


def write_manifest(folder: Path, lockfile: Lockfile, installer: str) -> None:
    """Write the manifest, as the last step of a build. Raises OSError where it cannot be written."""
    manifest = {
        "lockfile": lockfile.name,
        "digest": lockfile.digest,
        "python": platform.python_version(),
        "installer": installer,
        "files": dict(sorted(_files(folder))),
    }
    (folder / NAME).write_bytes(orjson.dumps(manifest))


def is_whole(folder: Path) -> bool:
    """Whether every installed file exists with its size, and the Python starts and has the same version."""
    try:
        manifest = orjson.loads((folder / NAME).read_bytes())
        files, python = manifest["files"], manifest["python"]
        if any(os.lstat(f"{folder}/{name}").st_size != size for name, size in files.items()):
            return False
        asked = [str(folder / "bin" / "python"), "-I", "-S", "-c"]
        asked.append("import platform; print(platform.python_version())")
        done = subprocess.run(asked, capture_output=True, text=True, timeout=START_SECONDS, check=False)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, subprocess.TimeoutExpired):
        return False
    return bool(done.stdout.strip() == python)


def _files(folder: Path) -> Iterator[tuple[str, int]]:
    """Path and size (bytes) of every installed file, without byte code, which Python recreates."""
    for where, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in files:
            path = Path(where, name)
            if not path.is_symlink():
                yield str(path.relative_to(folder)), path.stat().st_size
