"""The ledger's end of attaching to a command's Python processes: their settings and their events.

The other end is `runners.attach`, which runs inside those processes.
"""

import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ledger.evidence.training import EvaluationPoint, TrainingPoint
from runners.attach import channel
from runners.attach.snapshots import NEAR
from runners.host.training import to_point
from runners.worker import layout
from runners.worker.messages import (
    AttachedTraining,
    SavedCheckpoint,
    SavedModel,
    Skipped,
    Step,
    Unverified,
    UsesModels,
    to_event,
)

STARTUP = Path(__file__).parents[1] / "attach" / "startup"
PYTHON = re.compile(r"python(\d+(\.\d+)?)?")
ISOLATING = re.compile(r"-[a-zA-Z]*[IES][a-zA-Z]*")  # options that make Python ignore PYTHONPATH or site
WITH_VALUE = ("-c", "-m", "-W", "-X")


@dataclass(frozen=True, slots=True)
class AttachedCheckpoint:
    """A checkpoint and the Python that can reload it. `watched`: found in a folder, not reported."""

    python: Path
    saved: SavedCheckpoint
    watched: bool = False


AttachedEvent = (
    AttachedTraining
    | UsesModels
    | SavedModel
    | AttachedCheckpoint
    | Unverified
    | TrainingPoint
    | EvaluationPoint
)


class Attachment:
    """The files in a run's folder through which attached processes and the ledger communicate."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self._offset = 0

    def environment(self, run: str, digest: str, python: Path) -> dict[str, str]:
        """The variables for the command. Writes the settings that its processes read.

        `digest` is that of the environment of `python`; processes of another Python have none.
        """
        settings = {"run": run, "environment": digest, "python": str(python)}
        (self.folder / channel.RUN).write_text(json.dumps(settings), encoding="utf-8")
        path = [str(STARTUP), *filter(None, [os.environ.get("PYTHONPATH")])]
        return {channel.VARIABLE: str(self.folder), "PYTHONPATH": os.pathsep.join(path)}

    def read(self) -> list[AttachedEvent]:
        """The events since the last call. A line that is still being written is left for the next call."""
        try:
            with (self.folder / channel.EVENTS).open("rb") as file:
                file.seek(self._offset)
                text = file.read()
        except FileNotFoundError:
            return []
        whole = text[: text.rfind(b"\n") + 1]
        self._offset += len(whole)
        return [event for line in whole.splitlines() if (event := _event(line)) is not None]

    def stop(self) -> None:
        """Ask the trainings to end at their next step."""
        (self.folder / layout.STOP).touch()

    def remove_snapshots(self, folders: Iterable[Path]) -> None:
        """Remove all snapshots, those of killed processes too; `folders` are those with checkpoints."""
        shutil.rmtree(self.snapshots, ignore_errors=True)
        for near in {place / NEAR for folder in folders for place in (folder, folder.parent)}:
            shutil.rmtree(near / self.folder.name, ignore_errors=True)
            with suppress(OSError):
                near.rmdir()  # unless another run has snapshots there

    @property
    def log(self) -> Path:
        """The log for tracebacks of attached processes."""
        return self.folder / channel.LOG

    @property
    def snapshots(self) -> Path:
        """The folder in which checkpoints are hard-linked."""
        return self.folder / layout.SNAPSHOTS


def python_of(program: str) -> Path | None:
    """The Python that a program is, or that its first line names; None for any other program."""
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


def isolating_option(argv: Sequence[str]) -> str | None:
    """The option that keeps this Python from loading our hooks; None where there is none."""
    if not PYTHON.fullmatch(Path(argv[0]).name):
        return None
    for word in argv[1:]:
        if not word.startswith("-") or word.startswith(WITH_VALUE):
            return None
        if ISOLATING.fullmatch(word):
            return word
    return None


def output_folder(argv: Sequence[str]) -> Path | None:
    """The value of `--output_dir` or `--output-dir`."""
    for number, word in enumerate(argv):
        name, equals, value = word.partition("=")
        if name in ("--output_dir", "--output-dir"):
            return Path(value) if equals else Path(argv[number + 1]) if number + 1 < len(argv) else None
    return None


def default_python(program: str) -> Path:
    """The Python to reload with, where no process has reported its own."""
    return python_of(program) or Path(sys.executable)


def _event(line: bytes) -> AttachedEvent | None:
    """One event; None for an invalid line: the program can write to the file as well."""
    try:
        event = to_event(line)
    except (ValueError, KeyError, TypeError):
        return None
    match event:
        case Step():
            return to_point(event)
        case SavedCheckpoint():
            return AttachedCheckpoint(event.python, event) if event.python else None
        case Skipped():
            return Unverified(event.reason)
        case AttachedTraining() | UsesModels() | SavedModel() | Unverified():
            return event
    return None
