"""Pinned environments, each built once into a cache; `ensure` returns the Python of one.

`runners.environments.installers` fills them. This module decides where they go, never uses one that is
incomplete or damaged, and makes concurrent callers build the same one only once.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from ledger.display.progress import Progress
from ledger.environments.lockfile import Lockfile
from ledger.environments.versions import distance
from ledger.errors import LedgerError
from ledger.utils.plural import and_more
from ledger.utils.redaction import scrub_file
from runners.environments.installers import Installer, choose_installer, explain
from runners.environments.manifest import PARTIAL, is_whole, write_manifest

POLL_SECONDS = 0.2

Tell = Callable[[Progress], None]


def default_cache() -> Path:
    """The cache of built environments: LEDGER_ENVIRONMENTS, or ledger/environments in the user's cache."""
    if chosen := os.environ.get("LEDGER_ENVIRONMENTS"):
        return Path(chosen).absolute()
    caches = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(caches).absolute() / "ledger" / "environments"


def ensure(variants: Sequence[Lockfile], cache: Path, on_progress: Tell = lambda _progress: None) -> Path:
    """The Python of an environment that matches one of `variants`; built where it is not in `cache`.

    The variant is the first whose torch is available, trying the CPU build first where there is no NVIDIA
    GPU. Of two concurrent callers the second waits. Raises LedgerError where it cannot be built.
    """
    return built(variants, cache) or build(obtainable(variants, cache, on_progress), cache, on_progress)


def built(variants: Sequence[Lockfile], cache: Path) -> Path | None:
    """The Python of the first variant with a complete environment in `cache`; None where there is none."""
    for lockfile in _by_preference(variants):
        if is_whole(_folder(lockfile, cache)):
            return interpreter(lockfile, cache)
    return None


def obtainable(
    variants: Sequence[Lockfile], cache: Path, on_progress: Tell = lambda _progress: None
) -> Lockfile:
    """The first variant whose torch is available; one that pins no torch always is.

    Raises LedgerError where there is none.
    """
    installer = choose_installer()
    with _folder_ready(cache), tempfile.TemporaryDirectory() as folder:
        ordered = _by_preference(variants)
        for lockfile in ordered:
            torch = next((pin for pin in lockfile.pins if pin.name == "torch"), None)
            if torch is None:
                return lockfile
            on_progress(Progress(f"{lockfile.name}: looking for its torch with {installer.name}", 0, 1))
            # `===` is deliberate: `==2.13.0` also matches 2.13.0+cpu, which has another hash.
            requirement = Path(folder) / "torch.txt"
            requirement.write_text(f"torch==={torch.version}\n")
            log = cache / f"{folder_name(lockfile)}.log"
            refusal = _run(installer.ask(requirement), log, installer.environment)
            if refusal is None:
                return lockfile
        raise explain(refusal or "", ordered[-1], log)


def build(lockfile: Lockfile, cache: Path, on_progress: Tell = lambda _progress: None) -> Path:
    """Build this environment, unless another process just did; return its Python. Raises LedgerError."""
    folder = _folder(lockfile, cache)
    with _folder_ready(cache), _alone(cache / f"{folder.name}.lock", on_progress):
        if not is_whole(folder):
            _clear(folder)
            _build(lockfile, folder, on_progress)
    return interpreter(lockfile, cache)


def interpreter(lockfile: Lockfile, cache: Path) -> Path:
    """The path of the Python of this lockfile's environment, built or not."""
    return _folder(lockfile, cache) / "bin" / "python"


def folder_name(lockfile: Lockfile) -> str:
    """The environment's folder, named by the lockfile, its content and this Python's version."""
    return lockfile.name + _suffix(lockfile)


def _folder(lockfile: Lockfile, cache: Path) -> Path:
    """The folder for this content, whatever the lockfile was called, so that copies share it."""
    named = cache / folder_name(lockfile)
    same = sorted(cache.glob(f"*{_suffix(lockfile)}"))
    return named if named.exists() or not same else same[0]


def _suffix(lockfile: Lockfile) -> str:
    key = sha256(f"{lockfile.digest} {platform.python_implementation()}".encode()).hexdigest()[:12]
    return f"-py{platform.python_version()}-{key}"


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


def _clear(folder: Path) -> None:
    """Move a damaged environment away, and delete the remains of interrupted builds."""
    if folder.exists():
        folder.rename(tempfile.mkdtemp(prefix=f"{folder.name}.", suffix=PARTIAL, dir=folder.parent))
    for left in folder.parent.glob(f"{folder.name}.*{PARTIAL}"):
        shutil.rmtree(left, ignore_errors=True)


def _build(lockfile: Lockfile, folder: Path, on_progress: Tell) -> None:
    """Fill a temporary folder, then rename it, so that the final one is always complete."""
    partial = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", suffix=PARTIAL, dir=folder.parent))
    try:
        _fill(partial, lockfile, folder, on_progress)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _fill(partial: Path, lockfile: Lockfile, final: Path, on_progress: Tell) -> None:
    log = final.with_name(f"{final.name}.log")
    installer = choose_installer()
    on_progress(Progress(f"{lockfile.name}: creating the environment", 0, 1))
    refusal = _run([sys.executable, "-m", "venv", "--without-pip", str(partial)], log, os.environ)
    if refusal is None:
        refusal = _install(installer, partial, lockfile, log, on_progress)
    if refusal is not None:
        raise explain(refusal, lockfile, log)
    on_progress(Progress(f"{lockfile.name}: byte code", 0, 1))
    # On every core, with the final folder's paths, which tracebacks will show.
    byte_code = ["-m", "compileall", "-q", "-j", "0", "-x", "/tests/", "-s", str(partial), "-p", str(final)]
    # A failure is harmless: a package may contain a file for another version of Python.
    _run([str(partial / "bin" / "python"), *byte_code, str(partial / "lib")], log, os.environ)
    _readdress_scripts(partial, final)
    write_manifest(partial, lockfile, installer.name)
    on_progress(Progress(f"{lockfile.name}: byte code", 1, 1))


def _readdress_scripts(partial: Path, final: Path) -> None:
    """Replace the temporary folder's name by the final one in the scripts' interpreter lines."""
    now, then = os.fsencode(partial.name), os.fsencode(final.name)
    for script in (partial / "bin").iterdir():
        if script.is_file() and not script.is_symlink():
            content = script.read_bytes()
            if now in content:
                script.write_bytes(content.replace(now, then))


def _install(
    installer: Installer, partial: Path, lockfile: Lockfile, log: Path, on_progress: Tell
) -> str | None:
    """None, or the installer's output where it failed."""
    from packaging.markers import default_environment

    markers = {name: str(value) for name, value in default_environment().items()}
    wanted = lockfile.versions(markers)
    requirements = partial / "requirements.txt"
    requirements.write_text(lockfile.requirements(markers), encoding="utf-8")
    command = installer.install(partial / "bin" / "python", requirements)
    packages = next((partial / "lib").glob("python*")) / "site-packages"
    reported = -1

    def tell() -> None:
        nonlocal reported
        done = sum(1 for _ in packages.glob("*.dist-info"))
        if done != reported:
            reported = done
            what = f"{lockfile.name}: installing packages with {installer.name}"
            on_progress(Progress(what, min(done, len(wanted)), len(wanted)))

    refusal = _run(command, log, installer.environment, tell)
    requirements.unlink()  # index URLs in it may contain a password
    if refusal is None:
        _check_installed(wanted, packages, lockfile, installer)
    return refusal


def _check_installed(
    wanted: Mapping[str, str], packages: Path, lockfile: Lockfile, installer: Installer
) -> None:
    """Raise LedgerError where the installer succeeded but a pinned package is missing."""
    from importlib.metadata import distributions

    from packaging.utils import canonicalize_name

    found: dict[str, str] = {
        canonicalize_name(one.name): one.version for one in distributions(path=[str(packages)])
    }
    missing = [name for name, version in wanted.items() if distance(version, found.get(name, "")) is not None]
    if missing:
        raise LedgerError(
            f"the environment of {lockfile.path} cannot be built: {installer.name} installed "
            f"{and_more(missing, 1)} elsewhere, or not at all",
            hint="look for target, prefix or root in its settings: pip config list",
        )


def _run(
    command: list[str],
    log: Path,
    environment: Mapping[str, str],
    tell: Callable[[], None] = lambda: None,
) -> str | None:
    """Run a command with its output in the log; None, or that output where it failed."""
    with log.open("ab") as output, log.open("rb") as written:
        output.write(f"$ {' '.join(command)}\n".encode())
        output.flush()
        written.seek(0, os.SEEK_END)
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=dict(environment)
        )
        try:
            while process.poll() is None:
                tell()
                time.sleep(POLL_SECONDS)
        except BaseException:
            process.kill()
            process.wait()
            raise
        said = written.read().decode(errors="replace")
    scrub_file(log)  # an installer prints its index URLs, passwords included
    return said if process.returncode else None


@contextmanager
def _alone(path: Path, on_progress: Tell) -> Iterator[None]:
    """Hold the lock; reports when it waits for another process. kill -9 releases it as well."""
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        on_progress(Progress("waiting for another process that is building this environment", 0, 1))
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _has_nvidia_gpu() -> bool:
    return Path("/proc/driver/nvidia/version").exists()
