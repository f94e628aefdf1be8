"""Attaching to a command's Python processes, as the ledger asks for it: what they are told, what they tell.

The other end is `runners.attach`, which runs inside those processes.
"""

import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ledger.evidence.training import TrainingPoint
from ledger.findings import Json
from runners.attach import channel
from runners.attach.snapshots import NEAR
from runners.host.training import Evaluation, SavedCheckpoint, to_event

STARTUP = Path(__file__).parents[1] / "attach" / "startup"
PYTHON = re.compile(r"python(\d+(\.\d+)?)?")
DEAF = re.compile(r"-[a-zA-Z]*[IES][a-zA-Z]*")  # options by which Python passes over PYTHONPATH or site
WITH_VALUE = ("-c", "-m", "-W", "-X")


@dataclass(frozen=True, slots=True)
class AttachedTraining:
    """A training begins in a process of that Python, and will save in `folder`.

    `filtered`: its log shows the last good loss where there is none (`logging_nan_inf_filter`).
    """

    python: Path
    folder: Path
    step: int
    filtered: bool = True


@dataclass(frozen=True, slots=True)
class UsesModels:
    """A process of that Python uses models of transformers."""

    python: Path


@dataclass(frozen=True, slots=True)
class AttachedCheckpoint:
    """A save, and the Python that can reload it. `watched`: found in a folder, not told by its training."""

    python: Path
    saved: SavedCheckpoint
    watched: bool = False


@dataclass(frozen=True, slots=True)
class Unverified:
    """A save that nobody but the program can reload; or, without a folder, something that was not done."""

    reason: str
    step: int = 0
    folder: Path | None = None


AttachedEvent = AttachedTraining | UsesModels | AttachedCheckpoint | Unverified | TrainingPoint | Evaluation


class Attachment:
    """One run's folder as the attached processes use it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self._read = 0

    def environment(self, run: str, digest: str, python: Path) -> dict[str, str]:
        """The variables for the command, and what is left for its processes to read.

        `digest` is that of the environment of `python`; processes of another Python know none.
        """
        told = {"run": run, "environment": digest, "python": str(python)}
        (self.folder / channel.RUN).write_text(json.dumps(told), encoding="utf-8")
        path = [str(STARTUP), *filter(None, [os.environ.get("PYTHONPATH")])]
        return {channel.VARIABLE: str(self.folder), "PYTHONPATH": os.pathsep.join(path)}

    def read(self) -> list[AttachedEvent]:
        """What was told since the last time. A line that is still being written waits for the next."""
        try:
            with (self.folder / channel.EVENTS).open("rb") as file:
                file.seek(self._read)
                text = file.read()
        except FileNotFoundError:
            return []
        whole = text[: text.rfind(b"\n") + 1]
        self._read += len(whole)
        return [news for line in whole.splitlines() if (news := _news(line)) is not None]

    def stop(self) -> None:
        """Have the trainings end at their next step."""
        (self.folder / channel.STOP).touch()

    def remove_snapshots(self, folders: Iterable[Path]) -> None:
        """Drop what a killed process has left linked; `folders` are those that trainings saved in."""
        shutil.rmtree(self.snapshots, ignore_errors=True)
        for near in {place / NEAR for folder in folders for place in (folder, folder.parent)}:
            shutil.rmtree(near / self.folder.name, ignore_errors=True)
            with suppress(OSError):
                near.rmdir()  # as far as it is empty

    @property
    def log(self) -> Path:
        """Where attached processes leave the tracebacks of what failed."""
        return self.folder / channel.LOG

    @property
    def snapshots(self) -> Path:
        """Where saves are linked."""
        return self.folder / channel.SNAPSHOTS


def python_of(program: str) -> Path | None:
    """The Python that a program is or, by its first line, is run by; None for any other program."""
    found = shutil.which(program)
    if found is None:
        return None
    if PYTHON.fullmatch(Path(found).name):
        return Path(found)
    try:
        with Path(found).open("rb") as file:
            first = file.readline(512)
    except OSError:
        return None
    words = first[2:].decode("utf-8", "replace").split() if first.startswith(b"#!") else []
    named = next((word for word in words if PYTHON.fullmatch(Path(word).name)), None)
    resolved = shutil.which(named) if named else None
    return Path(resolved) if resolved else None


def deaf(argv: Sequence[str]) -> str | None:
    """The option by which this Python will not hear of us; None where there is none."""
    if not PYTHON.fullmatch(Path(argv[0]).name):
        return None
    for word in argv[1:]:
        if not word.startswith("-") or word.startswith(WITH_VALUE):
            return None
        if DEAF.fullmatch(word):
            return word
    return None


def output_folder(argv: Sequence[str]) -> Path | None:
    """What `--output_dir` or `--output-dir` names."""
    for number, word in enumerate(argv):
        name, equals, value = word.partition("=")
        if name in ("--output_dir", "--output-dir"):
            return Path(value) if equals else Path(argv[number + 1]) if number + 1 < len(argv) else None
    return None


def default_python(program: str) -> Path:
    """The Python to reload with where no process told its own."""
    return python_of(program) or Path(sys.executable)


def _news(line: bytes) -> AttachedEvent | None:
    """One event; None for what is none, for the file lies where the program can write."""
    try:
        event: Mapping[str, Json] = json.loads(line)
        match event["event"]:
            case "training":
                where = Path(event["python"]), Path(event["folder"])
                return AttachedTraining(*where, int(event["step"]), bool(event["filtered"]))
            case "models":
                return UsesModels(Path(event["python"]))
            case "step" if isinstance(news := to_event(dict(event)), TrainingPoint | Evaluation):
                return news
            case "saved" if isinstance(news := to_event(dict(event)), SavedCheckpoint):
                return AttachedCheckpoint(Path(event["python"]), news)
            case "unverified":
                return Unverified(str(event["reason"]), int(event["step"]), Path(event["folder"]))
            case "skip":
                return Unverified(str(event["reason"]))
    except (ValueError, KeyError, TypeError):
        pass
    return None
