"""Compiling lockfiles: `NAME.in` becomes `NAME.txt` and, with torch, also `NAME-cpu.txt`.

`NAME.txt` uses only the configured indexes. `NAME-cpu.txt` has torch's `+cpu` build and lacks what only CUDA
needs; where no `+cpu` wheel is available it is left unchanged. pip-compile does the work; no index URL gets
into a lockfile.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ledger.environments.lockfile import read
from ledger.errors import LedgerError
from ledger.outputs import write_output
from ledger.utils.redaction import scrub_url
from runners.environments.installers import NO_SPACE, OFFLINE, Uv

OPTIONS = [
    "--quiet",
    "--generate-hashes",
    "--strip-extras",
    "--allow-unsafe",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-emit-trusted-host",
]
TORCH = re.compile(r"^torch==([^\s;#]+)", re.MULTILINE)
CONFLICT = re.compile(r"Cannot install (.*) because")
INVALID = re.compile(r"Invalid requirement: ('[^']*')")
PREFIX = re.compile(r"^[\w.]+: ")  # the name of an exception
NO_SUCH = re.compile(r"(?:Could not find a version that matches|No matching distribution found for) (\S+)")

Say = Callable[[str], None]


def lock_environment(source: Path, root: Path, options: Sequence[str], say: Say) -> list[Path]:
    """Compile `NAME.in` into its variants, keeping the versions that still fit; return the files written.

    Paths in the files' comments are relative to `root`; `options` go to pip-compile (`--upgrade`). Raises
    LedgerError and leaves the lockfiles as they were.
    """
    public, cpu = source.with_suffix(".txt"), source.with_name(f"{source.stem}-cpu.txt")
    command = f"ledger env lock {source.stem}"
    asked = TORCH.search(_text(source))
    with tempfile.TemporaryDirectory() as folder:
        new, new_cpu = Path(folder) / public.name, Path(folder) / cpu.name
        say(f"compiling {public.name}")
        pick = ["--upgrade-package", f"torch==={asked[1]}"] if asked else []
        # torch==VERSION would match a +cpu wheel in a folder of wheels. Indexes stay as configured.
        nowhere = {"PIP_FIND_LINKS": folder} if asked else {}
        compile_lock(new, source, root, [*pick, *options], command=command, start=public, **nowhere)
        written = [(new, public)]
        if asked:
            say(f"compiling {cpu.name}")
            if _compile_cpu(new_cpu, source, root, command, asked[1], start=new):
                written.append((new_cpu, cpu))
            else:
                say(f"torch {asked[1]}+cpu is not available, so {cpu.name} is left unchanged")
        _check_torch(new, cpu if len(written) == 1 else new_cpu, source, asked is not None)
        for made, target in written:
            draft = target.with_suffix(".new")
            shutil.copyfile(made, draft)
            draft.replace(target)
    return [target for _, target in written]


def compile_lock(
    new: Path,
    source: Path,
    root: Path,
    options: Sequence[str],
    *,
    command: str,
    start: Path | None = None,
    **variables: str,
) -> None:
    """Run pip-compile into `new`; it keeps the versions of the lockfile `start` where it can.

    The file's header names `command`. Raises LedgerError; `new` may then not exist.
    """
    if start and start.exists():
        shutil.copy(start, new)
    environment = {**variables, "CUSTOM_COMPILE_COMMAND": command}
    refusal = _compile(new, source, root, options, environment)
    if refusal is not None:
        raise _explain(source, refusal)
    try:
        read(new)
    except LedgerError as error:
        raise LedgerError(
            f"{source} requires what cannot be pinned: {error.message.removeprefix(str(new))}",
            hint="require released packages: no folders, no URLs",
        ) from error


def _compile(
    new: Path, source: Path, root: Path, options: Sequence[str], variables: Mapping[str, str]
) -> str | None:
    """None, or the output of pip-compile where it failed."""
    paths = ["--output-file", str(new), os.path.relpath(source, root)]
    done = subprocess.run(
        [sys.executable, "-m", "piptools", "compile", *OPTIONS, *options, *paths],
        cwd=root,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    return done.stderr or done.stdout if done.returncode else None


def write_pylock(lockfile: Path, target: Path, uv: Uv) -> None:
    """Write the same pins as PEP 751's pylock.toml, with the files' URLs, which are redacted.

    Raises LedgerError where uv cannot write it.
    """
    with tempfile.TemporaryDirectory() as folder:
        new = Path(folder) / target.name
        options = ["--quiet", "--no-deps", "--no-annotate", "--no-header", "--generate-hashes"]
        wanted = Path(folder) / "requirements.txt"
        wanted.write_text(
            "".join(
                f"{pin.name}==={pin.version}{f' ; {pin.marker}' if pin.marker else ''}\n"
                for pin in read(lockfile).pins
            )
        )
        command = [str(uv.program), "pip", "compile", *options, "--python", sys.executable]
        command += ["--index-strategy", "unsafe-best-match", "--format", "pylock.toml", "-o", str(new)]
        done = subprocess.run(
            [*command, str(wanted)], env=dict(uv.environment), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise _explain(lockfile, done.stderr)
        text = re.sub(r'\b(url|index) = "([^"]*)"', _scrubbed, new.read_text(encoding="utf-8"))
        new.write_text(text, encoding="utf-8")
        read(new)
        write_output(target, text.encode())


def _scrubbed(match: "re.Match[str]") -> str:
    return f'{match[1]} = "{scrub_url(match[2])}"'


def _compile_cpu(new: Path, source: Path, root: Path, command: str, version: str, *, start: Path) -> bool:
    """Whether the +cpu variant could be compiled; False where its torch is not available."""
    wanted = f"torch=={version}+cpu"
    shutil.copy(start, new)
    refusal = _compile(new, source, root, ["--upgrade-package", wanted], {"CUSTOM_COMPILE_COMMAND": command})
    if refusal is None:
        return True
    conflict = CONFLICT.search(refusal)  # with the variant just compiled: only the build differs
    if wanted in refusal or (conflict and conflict[1] == f"torch=={version}"):
        return False
    raise _explain(source, refusal)


def _check_torch(public: Path, cpu: Path, source: Path, asked: bool) -> None:
    """Refuse a public variant that contains the +cpu wheel, which not every index has."""
    hashes = {path: _torch_hashes(path) for path in (public, cpu)}
    if hashes[public] and not asked:
        raise LedgerError(
            f"{source} needs torch but does not pin torch==VERSION, so its build is unknown",
            hint=f"add a line to {source.name} such as torch==2.13.0",
        )
    if hashes[public] & hashes[cpu]:
        raise LedgerError(
            f"{public.name} would contain torch's +cpu wheel, which not every index has",
            hint="compile it where pip sees a public index",
        )


def _torch_hashes(path: Path) -> set[str]:
    if not path.exists():
        return set()
    return {value for pin in read(path).pins if pin.name == "torch" for value in pin.hashes}


def _text(source: Path) -> str:
    try:
        return source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LedgerError(
            f"{source} cannot be read: {error}", hint="it should be a list of requirements"
        ) from error


def _explain(source: Path, said: str) -> LedgerError:
    """The compiler's output as an error for the user."""
    what = f"{source.name} could not be compiled"
    if NO_SPACE.search(said):
        return LedgerError(f"{what}: no space left", hint="free some there and in the temporary folder")
    if OFFLINE.search(said):
        return LedgerError(f"{what}: the package index cannot be reached", hint="go online and repeat")
    if missing := NO_SUCH.search(said):
        return LedgerError(
            f"{what}: {missing[1]} is not available", hint="check the name, the version and pip's index"
        )
    if conflict := CONFLICT.search(said):
        why = (
            "contradict each other"
            if " and " in conflict[1]
            else "is not available in a version that fits the others"
        )
        return LedgerError(f"{what}: {conflict[1]} {why}", hint=f"loosen the requirements in {source.name}")
    if invalid := INVALID.search(said):
        return LedgerError(f"{what}: {invalid[1]} is not a requirement", hint="write NAME, or NAME==VERSION")
    lines = [PREFIX.sub("", line.strip()) for line in said.splitlines() if line.strip()]
    return LedgerError(
        f"{what}: {lines[-1][:300] if lines else 'pip-compile printed no message'}", hint=f"check {source}"
    )
