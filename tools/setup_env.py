"""Make `.venv` from the lockfiles; `make setup` runs this.

Standard library only: it runs before anything is installed. Of the variants of the experiment's lockfile it
takes the first whose torch this machine can install. Running it again costs nothing while the lockfiles are
unchanged; killed half-way, it starts afresh. `PYTHON=python3.12 make setup` takes that interpreter.
"""

# ruff: noqa: E402 - the check of Python's version must come before the imports

import sys

OLDEST = (3, 11)
if sys.version_info < OLDEST:  # before any newer syntax below is met
    sys.exit(
        "setup: Python %d.%d is too old, 3.11 or newer is needed\n"  # noqa: UP031 - must parse on old Pythons
        "  name one: PYTHON=python3.12 make setup" % sys.version_info[:2]
    )

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

# The widest of the environments that share a `.venv`: all of mt-4.57.6 at the same versions, and Lightning.
FAMILY = "t5-lightning"
GIB = 2**30
NOTICEABLE = 5.0  # seconds
# Room for the packages and the wheels they come in: the CPU variant was measured to take 2.6 GiB; CUDA's need
# is estimated from its wheels, 2.6 GiB packed.
NEEDED_GIB = {f"{FAMILY}-cpu": 4, FAMILY: 10}
OFFLINE = re.compile(
    r"name resolution|Failed to establish|NewConnectionError|ConnectTimeout|Network is unreach"
)
NO_SPACE = re.compile(r"No space left on device|Disk quota exceeded")


class SetupError(Exception):
    """What went wrong in one sentence; the second argument is what to do next."""


def main() -> int:
    """Bring `.venv` up to date; return the exit code (0 done, 3 could not be done, 130 interrupted)."""
    root = Path(__file__).resolve().parent.parent
    try:
        with Path(__file__).open() as script:
            fcntl.flock(script, fcntl.LOCK_EX)  # two `make` at once: the second finds the work done
            Setup(root).run()
    except SetupError as error:
        print(f"setup: {error.args[0]}\n  {error.args[1]}", file=sys.stderr)
        return 3
    except OSError as error:
        print(f"setup: {error.strerror}: {error.filename}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        print("\nsetup: interrupted; the next `make setup` starts afresh", file=sys.stderr)
        return 130
    return 0


class Setup:
    """One environment in `root/.venv`, and the stamp in it that says what it was made from."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.venv = root / ".venv"
        self.stamp = self.venv / "setup.json"
        self.log = self.venv / "setup.log"
        self.locks = root / "lockfiles"
        self.python = self.venv / "bin" / "python"

    def run(self) -> None:
        """Do what is not done yet: the packages, then this project itself."""
        have = self.found()
        want = self.wanted(have["python"])
        if have.get("locks") != want["locks"] or have["python"] != want["python"]:
            have = self.install_packages(want)
        if have.get("project") != want["project"]:
            self.pip(
                "this project", ["--no-deps", "--no-build-isolation", "--editable", str(self.root)], total=1
            )
            self.write_stamp({**have, "project": want["project"]})
            say(f"ready: {self.venv} ({have['variant']}, Python {have['python']})")

    def wanted(self, made_by: str) -> dict[str, str]:
        """What the stamp of an up-to-date environment says; any Python will do unless PYTHON names one."""
        chosen = sys.version.split()[0]
        return {
            "locks": digest([*sorted(self.locks.glob(f"{FAMILY}*.txt")), self.locks / "tool.txt"]),
            "project": digest([self.root / "pyproject.toml"]),
            "python": chosen if os.environ.get("PYTHON") else made_by or chosen,
        }

    def found(self) -> dict[str, str]:
        """What the stamp says; no "locks" in it when the environment is half-made or its Python is gone."""
        try:
            stamp = dict(json.loads(self.stamp.read_text()))
        except FileNotFoundError:
            if self.venv.is_dir() and any(self.venv.iterdir()):
                raise SetupError(
                    f"{self.venv} was not made by this command, so it is left alone",
                    f"move it away and repeat: mv {self.venv} {self.venv}.mine",
                ) from None
            return {"python": ""}
        except ValueError:
            return {"python": ""}
        return stamp if self.python.exists() else {"python": ""}

    def write_stamp(self, content: dict[str, str]) -> None:
        """Replace the stamp in one step."""
        new = self.stamp.with_suffix(".new")
        new.write_text(json.dumps(content))
        new.replace(self.stamp)

    def install_packages(self, want: dict[str, str]) -> dict[str, str]:
        """Make the environment from nothing: what a killed run or older lockfiles left goes first."""
        self.venv.mkdir(exist_ok=True)
        self.write_stamp({"python": ""})
        for leftover in self.venv.iterdir():
            if leftover.is_dir() and not leftover.is_symlink():
                shutil.rmtree(leftover)
            elif leftover != self.stamp:
                leftover.unlink()
        say(f"making {self.venv} with Python {sys.version.split()[0]}")
        self.make_venv()
        tool = self.locks / "tool.txt"
        self.pip("pip itself", ["--require-hashes", "-r", str(self.only("pip", tool))], total=1)
        variant = self.choose_variant()
        chosen = self.locks / f"{variant}.txt"
        pins = {line.split("==")[0] for path in (chosen, tool) for line in pin_lines(path)}
        self.pip("packages", ["--require-hashes", "-r", str(chosen), "-r", str(tool)], total=len(pins))
        self.compile()
        done = {"locks": want["locks"], "python": sys.version.split()[0], "variant": variant}
        self.write_stamp(done)
        return done

    def make_venv(self) -> None:
        """`python -m venv`, with Debian's missing piece named where it is missing."""
        command = [sys.executable, "-m", "venv", str(self.venv)]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            raise SetupError(
                "python -m venv failed: " + (made.stderr or made.stdout).strip()[-300:],
                "on Debian and Ubuntu install python3-venv, then repeat: make setup",
            )

    def only(self, name: str, lockfile: Path) -> Path:
        """A requirements file with the one pin of `name`, hashes and all."""
        pin = re.search(rf"^{name}==(?:.*\\\n)*.*", lockfile.read_text(), re.MULTILINE)
        if pin is None:
            raise SetupError(f"{lockfile} does not pin {name}", "compile it again: make lock")
        path = self.venv / f"only-{name}.txt"
        path.write_text(pin[0] + "\n")
        return path

    def choose_variant(self) -> str:
        """The first variant whose torch can be had and that there is room for.

        A machine with an NVIDIA GPU wants the CUDA build first; every other one the smaller CPU build, which
        only a pip that was set up for it can see.
        """
        gpu = has_nvidia_gpu()
        order = sorted(NEEDED_GIB, key=lambda name: name.endswith("-cpu") is gpu)
        for variant in order:
            torch = next(
                line for line in pin_lines(self.locks / f"{variant}.txt") if line.startswith("torch==")
            )
            probe = [
                "--dry-run",
                "--no-deps",
                "--ignore-installed",
                "--retries",
                "1",
                torch.replace("==", "==="),
            ]
            refusal = self.try_pip("looking for " + torch, probe, total=0)
            if refusal is None:
                self.check_space(variant)
                why = "an NVIDIA GPU is here" if gpu else "no NVIDIA GPU here"
                say(f"taking lockfiles/{variant}.txt: {torch} can be had ({why})")
                return variant
            say(f"not lockfiles/{variant}.txt: {torch} cannot be had here")
        raise explain(refusal or "", self.log)

    def check_space(self, variant: str) -> None:
        """Say before a long download that it will not fit."""
        free = shutil.disk_usage(self.venv).free / GIB
        if free < NEEDED_GIB[variant]:
            raise SetupError(
                f"{free:.1f} GiB are free at {self.venv}, {variant} takes about {NEEDED_GIB[variant]}",
                "free some space, then repeat: make setup",
            )

    def pip(self, what: str, arguments: list[str], total: int) -> None:
        """`pip install` with progress."""
        failure = self.try_pip(what, arguments, total)
        if failure is not None:
            raise explain(failure, self.log)

    def try_pip(self, what: str, arguments: list[str], total: int) -> str | None:
        """Run `pip install`; None, or what pip said when it failed."""
        options = ["--no-input", "--no-compile", "--disable-pip-version-check"]
        code, said = self.follow(what, ["pip", "install", *options, *arguments], total)
        return said if code else None

    def compile(self) -> None:
        """Byte-compile on every core, tests left out: half the time that pip takes for it, which has one.

        Left undone it would cost every process seconds where PYTHONDONTWRITEBYTECODE is set.
        """
        self.follow(
            "byte code", ["compileall", "-q", "-j", "0", "-x", "/tests/", str(self.venv / "lib")], total=0
        )

    def follow(self, what: str, module: list[str], total: int) -> tuple[int, str]:
        """Run a module of the new environment with progress; its exit code, and its output, also logged."""
        with self.log.open("ab") as log, self.log.open("rb") as output:
            output.seek(0, os.SEEK_END)
            process = subprocess.Popen(
                [str(self.python), "-m", *module],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=self.root,
            )
            progress = Progress(what, total, self.venv)
            while process.poll() is None:
                progress.read(output.read().decode(errors="replace"))
                time.sleep(0.2)
            progress.read(output.read().decode(errors="replace"))
            progress.end()
        return process.returncode, progress.text


class Progress:
    """Turns pip's output into one line of progress: rewritten on a terminal, every 10 seconds elsewhere."""

    def __init__(self, what: str, total: int, venv: Path) -> None:
        self.what, self.total, self.venv = what, total, venv
        self.text = ""
        self.started = self.said = time.monotonic()

    def read(self, new: str) -> None:
        """Take in what pip has written since, and say where it stands."""
        self.text += new
        every = 0.2 if sys.stdout.isatty() else 10
        if time.monotonic() - self.said >= every:
            self.said = time.monotonic()
            self.show()

    def show(self) -> None:
        """Downloads are counted in pip's output, installs in site-packages: pip tells nothing of those."""
        at = f"{self.said - self.started:4.0f} s"
        if "Installing collected packages" in self.text:
            done = len(list(self.venv.glob("lib/python*/site-packages/*.dist-info")))
            line = f"{self.what}: installing {min(done, self.total)} of {self.total}"
        else:
            names = re.findall(r"^Collecting (\S+)", self.text, re.MULTILINE)
            line = (
                f"{self.what}: fetching {min(len(names), self.total)} of {self.total}" if names else self.what
            )
            line += f", {names[-1]}" if names else ""
        if sys.stdout.isatty():
            print(f"\r\033[K  {at}  {line}", end="", flush=True)
        else:
            print(f"  {at}  {line}", flush=True)

    def end(self) -> None:
        """Clear the rewritten line; say how long it took where that was noticeable."""
        if sys.stdout.isatty():
            print("\r\033[K", end="", flush=True)
        seconds = time.monotonic() - self.started
        if seconds > NOTICEABLE:
            say(f"{self.what}: {seconds:.0f} s")


def explain(output: str, log: Path) -> SetupError:
    """What pip's output means for the user."""
    if NO_SPACE.search(output):
        return SetupError(
            "no space left", "free some here and in the temporary folder, then repeat: make setup"
        )
    if OFFLINE.search(output):
        return SetupError(
            "the package index cannot be reached", "go online, or set pip up for a mirror: pip config"
        )
    errors = [line for line in output.splitlines() if line.startswith("ERROR")]
    said = errors[-1] if errors else output.strip()[-300:]
    return SetupError(f"pip failed: {said}", f"all that pip said is in {log}")


def has_nvidia_gpu() -> bool:
    """Whether NVIDIA's driver is loaded."""
    return Path("/proc/driver/nvidia/version").exists()


def pin_lines(lockfile: Path) -> list[str]:
    """The `name==version` of every pin."""
    return re.findall(r"^[A-Za-z0-9][\w.-]*==[^\s;\\]+", lockfile.read_text(), re.MULTILINE)


def digest(paths: list[Path]) -> str:
    """One SHA-256 over names and contents."""
    total = hashlib.sha256()
    for path in paths:
        total.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return "sha256:" + total.hexdigest()


def say(text: str) -> None:
    """One line of progress."""
    print(f"setup: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
