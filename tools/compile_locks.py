"""Compile the lockfiles with pip-compile; `make lock` runs this (UPGRADE=--upgrade for newer versions).

Each environment `lockfiles/NAME.in` becomes `NAME.txt`, all of it from the public index, and `NAME-cpu.txt`,
which differs in torch's `+cpu` build and in what CUDA alone needs; a machine that sees no `+cpu` wheel leaves
the latter alone. `tool.txt` pins this project's own packages, at versions that fit in with the experiment's.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "lockfiles"
TOGETHER_WITH = "mt-4.57.6"  # the environment that the tool's own packages must share a .venv with
OPTIONS = [
    "--quiet",
    "--generate-hashes",
    "--strip-extras",
    "--allow-unsafe",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-emit-trusted-host",
]


class CompileError(Exception):
    """pip-compile's own words."""


def main(arguments: list[str]) -> int:
    """Compile everything; `arguments` go to pip-compile."""
    try:
        for source in sorted(LOCKS.glob("*.in")):
            compile_variants(source, arguments)
        constraint = ["--constraint", f"lockfiles/{TOGETHER_WITH}.txt", "--extra", "dev"]
        compile_lock(LOCKS / "tool.txt", ROOT / "pyproject.toml", [*constraint, *arguments])
    except CompileError as error:
        print(f"lock: {error}", file=sys.stderr)
        return 3
    return 0


def compile_variants(source: Path, arguments: list[str]) -> None:
    """`NAME.txt`, then `NAME-cpu.txt` starting from the versions of the former."""
    public, cpu = source.with_suffix(".txt"), source.with_name(f"{source.stem}-cpu.txt")
    wanted = re.search(r"^torch==(\S+)", source.read_text(), re.MULTILINE)
    if wanted is None:
        raise CompileError(f"{source} does not say torch==VERSION, so its build cannot be told")
    version = wanted[1]
    with tempfile.TemporaryDirectory() as empty:
        # A +cpu wheel in a find-links folder would be taken for torch==VERSION; indexes stay as configured.
        compile_lock(public, source, ["-P", f"torch==={version}", *arguments], PIP_FIND_LINKS=empty)
    try:
        compile_lock(cpu, source, ["-P", f"torch=={version}+cpu"], start=public)
    except CompileError as error:
        if f"torch=={version}+cpu" not in str(error):
            raise
        print(
            f"lock: no torch {version}+cpu can be had here, so {cpu.name} is left as it is", file=sys.stderr
        )
    if torch_hashes(public) & torch_hashes(cpu):
        raise CompileError(
            f"{public.name} holds the +cpu wheel; compile it where pip sees the public index alone"
        )


def compile_lock(
    target: Path, source: Path, arguments: list[str], start: Path | None = None, **env: str
) -> None:
    """Run pip-compile; `start` is the lockfile whose versions it keeps where it can.

    Raises CompileError, with `target` left as it was.
    """
    print(f"lock: {target.relative_to(ROOT)}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        new = Path(folder) / target.name
        if (start or target).exists():
            shutil.copy(start or target, new)
        command = [sys.executable, "-m", "piptools", "compile", *OPTIONS, *arguments]
        done = subprocess.run(
            [*command, "--output-file", str(new), str(source.relative_to(ROOT))],
            cwd=ROOT,
            env={**os.environ, **env, "CUSTOM_COMPILE_COMMAND": "make lock"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise CompileError(f"{target.name} could not be compiled\n{done.stderr.strip()}")
        shutil.copyfile(new, target)


def torch_hashes(lockfile: Path) -> set[str]:
    """The hashes of torch's pin."""
    pin = (
        re.search(r"^torch==(?:.*\\\n)*.*", lockfile.read_text(), re.MULTILINE) if lockfile.exists() else None
    )
    return set(re.findall(r"sha256:\w+", pin[0])) if pin else set()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
