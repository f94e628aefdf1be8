"""Build the environment that a lockfile pins, once, into a cache; `ensure` returns its Python.

pip does the work; every package is held to its hash. What is here is where it goes, that a half-built one is
never taken for a whole one, and what pip's failures mean.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from filelock import FileLock, Timeout

from ledger.errors import LedgerError
from ledger.lockfile import Lockfile
from ledger.progress import Progress

PARTIAL = ".partial"  # ends the name of a folder that is still being filled
STAGES = 3
OFFLINE = re.compile(
    r"name resolution|Failed to establish|NewConnectionError|ConnectTimeout|Network is unreach"
)
NO_SPACE = re.compile(r"No space left on device|Disk quota exceeded")
WRONG_HASH = re.compile(r"THESE PACKAGES DO NOT MATCH THE HASHES")
NO_SUCH = re.compile(r"No matching distribution found for (\S+)")

Tell = Callable[[Progress], None]


def default_cache() -> Path:
    """Where built environments are kept: LEDGER_ENVIRONMENTS, or ledger/environments in the user's cache."""
    if chosen := os.environ.get("LEDGER_ENVIRONMENTS"):
        return Path(chosen)
    caches = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(caches) / "ledger" / "environments"


def ensure(variants: Sequence[Lockfile], cache: Path, on_progress: Tell = lambda _progress: None) -> Path:
    """The Python of an environment with what one of `variants` pins; built where it is not in `cache`.

    The variant is the first one whose torch can be installed here: the CPU build first where there is no
    NVIDIA GPU. Two callers at once build it once: the second waits. Raises LedgerError when it cannot be
    built.
    """
    return built(variants, cache) or build(obtainable(variants, cache, on_progress), cache, on_progress)


def built(variants: Sequence[Lockfile], cache: Path) -> Path | None:
    """The Python of the first variant whose environment is in `cache`; None where there is none."""
    pythons = (interpreter(lockfile, cache) for lockfile in _by_preference(variants))
    return next((python for python in pythons if python.exists()), None)


def obtainable(
    variants: Sequence[Lockfile], cache: Path, on_progress: Tell = lambda _progress: None
) -> Lockfile:
    """The first variant whose torch pip would install; one that pins no torch can be had.

    Raises LedgerError when there is none.
    """
    with _folder_ready(cache):
        return _first_that_can_be_had(_by_preference(variants), cache, on_progress)


def build(lockfile: Lockfile, cache: Path, on_progress: Tell = lambda _progress: None) -> Path:
    """Build this environment unless somebody else just did; its Python. Raises LedgerError."""
    folder = cache / folder_name(lockfile)
    with _folder_ready(cache), _alone(cache / f"{folder.name}.lock", on_progress):
        if not interpreter(lockfile, cache).exists():
            _build(lockfile, folder, on_progress)
    return interpreter(lockfile, cache)


def interpreter(lockfile: Lockfile, cache: Path) -> Path:
    """Where the Python of this lockfile's environment is, or will be."""
    return cache / folder_name(lockfile) / "bin" / "python"


def folder_name(lockfile: Lockfile) -> str:
    """The environment's folder: named by the lockfile, its content and this Python's version."""
    key = sha256(f"{lockfile.digest} {platform.python_implementation()}".encode()).hexdigest()[:12]
    return f"{lockfile.name}-py{platform.python_version()}-{key}"


def _by_preference(variants: Sequence[Lockfile]) -> list[Lockfile]:
    return sorted(variants, key=lambda lockfile: lockfile.name.endswith("-cpu") is _has_nvidia_gpu())


@contextmanager
def _folder_ready(cache: Path) -> Iterator[None]:
    try:
        cache.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise LedgerError(
            f"the environment cannot be built in {cache}: {error.strerror or error}",
            hint="free some space, or name another folder in LEDGER_ENVIRONMENTS",
        ) from error


def _first_that_can_be_had(ordered: Sequence[Lockfile], cache: Path, on_progress: Tell) -> Lockfile:
    """The first whose torch pip would install; one that pins no torch can be had."""
    refusal = ""
    for lockfile in ordered:
        on_progress(Progress(f"{lockfile.name}: asking pip for its torch", 0, STAGES))
        torch = next((pin for pin in lockfile.pins if pin.name == "torch"), None)
        if torch is None:
            return lockfile
        # `===` is meant: `==2.13.0` would take 2.13.0+cpu, whose hash is another.
        wanted = ["--dry-run", "--no-deps", "--ignore-installed", f"torch==={torch.version}"]
        said = _pip(Path(sys.executable), wanted, cache / f"{folder_name(lockfile)}.log")
        if said is None:
            return lockfile
        refusal = said
    raise _explain(refusal, ordered[-1], cache / f"{folder_name(ordered[-1])}.log")


def _build(lockfile: Lockfile, folder: Path, on_progress: Tell) -> None:
    """Fill a folder beside the final one, then rename it: what is there is whole."""
    for left in folder.parent.glob(f"{folder.name}.*{PARTIAL}"):
        shutil.rmtree(left, ignore_errors=True)  # of a build that was killed
    partial = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", suffix=PARTIAL, dir=folder.parent))
    try:
        _fill(partial, lockfile, folder, on_progress)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _fill(partial: Path, lockfile: Lockfile, final: Path, on_progress: Tell) -> None:
    log = final.with_name(f"{final.name}.log")
    on_progress(Progress(f"{lockfile.name}: making the environment", 0, STAGES))
    _run([sys.executable, "-m", "venv", "--without-pip", str(partial)], log, lockfile)
    on_progress(Progress(f"{lockfile.name}: installing {len(lockfile.pins)} packages", 1, STAGES))
    said = _pip(partial / "bin" / "python", ["--require-hashes", "-r", str(lockfile.path)], log)
    if said is not None:
        raise _explain(said, lockfile, log)
    on_progress(Progress(f"{lockfile.name}: byte code", 2, STAGES))
    # On every core; with the paths that tracebacks will show once the folder has its own name.
    byte_code = ["-m", "compileall", "-q", "-j", "0", "-x", "/tests/", "-s", str(partial), "-p", str(final)]
    with log.open("ab") as output:
        subprocess.run(
            [str(partial / "bin" / "python"), *byte_code, str(partial / "lib")],
            stdout=output,
            stderr=output,
            check=False,  # a package may carry a file that is no Python of this version
        )
    on_progress(Progress(f"{lockfile.name}: byte code", STAGES, STAGES))


def _pip(python: Path, arguments: list[str], log: Path) -> str | None:
    """`pip install` into the environment of `python`, by ledger's own pip; None, or what pip said on failure.

    pip's configuration (index, mirror, proxy, wheel folders) is the user's.
    """
    quiet = ["--no-input", "--no-compile", "--disable-pip-version-check", "--progress-bar", "off"]
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", *quiet, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    with log.open("a", encoding="utf-8") as file:
        file.write(f"$ pip install {' '.join(arguments)}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr if done.returncode else None


def _run(command: list[str], log: Path, lockfile: Lockfile) -> None:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise _explain(done.stdout + done.stderr, lockfile, log)


def _explain(said: str, lockfile: Lockfile, log: Path) -> LedgerError:
    """What pip's output means for the user."""
    what = f"the environment of {lockfile.path} cannot be built"
    if NO_SPACE.search(said):
        return LedgerError(f"{what}: no space left", hint="free some there and in the temporary folder")
    if WRONG_HASH.search(said):
        return LedgerError(
            f"{what}: a package does not match its hash in the lockfile",
            hint=f"somebody changed the package or the lockfile; which one it is stands in {log}",
        )
    if OFFLINE.search(said):
        return LedgerError(
            f"{what}: the package index cannot be reached", hint="go online, or set pip up for a mirror"
        )
    if missing := NO_SUCH.search(said):
        return LedgerError(
            f"{what}: {missing[1]} is not to be had here",
            hint="set pip up for an index that has it, or compile the lockfiles again: make lock",
        )
    errors = [line for line in said.splitlines() if line.startswith("ERROR")]
    last = errors[-1] if errors else said.strip()[-200:]
    return LedgerError(f"{what}: {last}", hint=f"all that pip said is in {log}")


def _alone(path: Path, on_progress: Tell) -> FileLock:
    """The lock, taken; says so when another process holds it. It goes with its holder, kill -9 included."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        on_progress(Progress("waiting for another process, which builds this environment", 0, STAGES))
        lock.acquire()
    return lock


def _has_nvidia_gpu() -> bool:
    return Path("/proc/driver/nvidia/version").exists()
