"""What an environment was when it was built, written into it; and whether it still is, told quickly.

Told by the size of every file and by starting its Python. An edit that keeps a file's size is not seen; what
was added is not looked for.
"""

import os
import platform
import subprocess
from collections.abc import Iterator
from pathlib import Path

import orjson

from ledger.environments.lockfile import Lockfile

NAME = "ledger.json"
START_SECONDS = 60.0


def write_manifest(folder: Path, lockfile: Lockfile, installer: str) -> None:
    """The last step of a build. Raises OSError where it cannot be written."""
    manifest = {
        "lockfile": lockfile.name,
        "digest": lockfile.digest,
        "python": platform.python_version(),
        "installer": installer,
        "files": dict(sorted(_files(folder))),
    }
    (folder / NAME).write_bytes(orjson.dumps(manifest))


def is_whole(folder: Path) -> bool:
    """Whether every file that was installed is there in its size, and the Python starts and is the same."""
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
    """Path and size (bytes) of all that was installed; byte code is made anew where it is missing."""
    for where, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in files:
            path = Path(where, name)
            if not path.is_symlink():
                yield str(path.relative_to(folder)), path.stat().st_size
