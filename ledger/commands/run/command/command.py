"""`ledger run -- CMD…`: record any command: what it was, in which environment and commit, how it ended.

The saves of the trainings in it are verified beside them: see
`ledger.commands.run.command.attached_training`.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from ledger.commands.reporter import Reporter
from ledger.commands.run.command.attached_report import finished, report_of
from ledger.commands.run.command.attached_training import AttachedLoop
from ledger.commands.run.command.checkpoint_watcher import CheckpointWatcher
from ledger.commands.run.recorder import Recorder, git_facts, new_run_id
from ledger.environments.environment import Environment
from ledger.errors import LedgerError, UsageError
from ledger.findings import Json, Report
from ledger.git import status
from ledger.utils.hashing import digest_json
from ledger.utils.paths import relative_if_inside
from ledger.utils.redaction import scrub_arguments
from ledger.workspace import Workspace
from runners.attach.snapshots import Snapshots
from runners.environments.inspection import capture
from runners.host.attachment import Attachment, deaf, default_python, output_folder

ON_FAIL = ("stop", "warn")


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """What the user typed. `on_fail` None: as `[tool.ledger]` says. `watch`: where a command saves that has
    no trainer. What the command prints goes to `output` where that is given."""

    argv: Sequence[str]
    experiment: str | None = None
    on_fail: str | None = None
    watch: Path | None = None
    output: TextIO | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """A command that ran. `exit_code` is the shell's: 128 + n where signal n ended it.

    `recorded` is what the journal's entry says of the end; `report` what was found about its saves.
    """

    run: str
    experiment: str
    exit_code: int
    seconds: float
    report: Report
    recorded: dict[str, Json] = field(default_factory=dict)
    interrupted: bool = False


def run_command(workspace: Workspace, request: CommandRequest, voice: Reporter) -> Recorded:
    """Run a command with this terminal's own input and output, guard its saves, and record it.

    Raises UsageError when there is no such program. A command that fails is recorded as failed.
    """
    argv = request.argv
    program = shutil.which(argv[0])
    if program is None:
        raise UsageError(f"there is no program {argv[0]!r}", hint="check the name after `--`, and PATH")
    name = _name(request)
    on_fail = _policy(workspace, request)
    with Recorder(workspace, "command", name, new_run_id(name)) as recorder:
        python, environment = _environment(program)
        recorder.environment(environment)
        recorder.started(_started(argv, workspace, environment))
        attachment = Attachment(recorder.folder)
        variables = attachment.environment(recorder.run, environment.digest, python)
        known = {python: environment}
        loop = AttachedLoop(attachment, recorder, voice, known, stop_on_fail=on_fail == "stop")
        begun = time.monotonic()
        try:
            with _watched(request, attachment, recorder.run, python) as watched:
                child = _start(
                    [program, *argv[1:]], {"LEDGER_RUN": recorder.run, **variables}, request.output
                )
                code = _hear(loop, child, watched, voice)
            attachment.remove_snapshots(one.folder for one in loop.trainings)
        except (LedgerError, OSError) as error:
            recorder.failed(str(error).splitlines()[0], time.monotonic() - begun)
            raise
        exit_code = 128 - code if code < 0 else code
        seconds = time.monotonic() - begun
        report = report_of(loop, warn_only=on_fail == "warn", hint=_hint(request, loop))
        recorded = finished(loop, report, exit_code, seconds, recorder)
        recorder.finished(recorded)
    return Recorded(recorder.run, name, exit_code, seconds, report, recorded, loop.interrupted)


def _hear(
    loop: AttachedLoop, child: "subprocess.Popen[bytes]", watched: CheckpointWatcher | None, voice: Reporter
) -> int:
    """Listen to the command until it has ended. It goes on even where nobody can listen any more."""
    try:
        return loop.run(child, watched)
    except (LedgerError, OSError) as error:
        if child.poll() is None:
            voice.say(f"ledger: the command goes on, but nothing of it is verified any more: {error}")
            child.wait()
        raise


def _name(request: CommandRequest) -> str:
    name = request.experiment or Path(request.argv[0]).name
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]*", name):
        raise UsageError(
            f"{name!r} cannot be an experiment's name",
            hint="use letters, digits and . _ + -: ledger run NAME -- COMMAND",
        )
    return name


def _policy(workspace: Workspace, request: CommandRequest) -> str:
    policy = request.on_fail or workspace.settings.get("on_fail", "stop")
    if policy not in ON_FAIL:
        raise UsageError(
            f"pyproject.toml, [tool.ledger]: on_fail = {policy!r} is no policy", hint='it is "stop" or "warn"'
        )
    return str(policy)


def _environment(program: str) -> tuple[Path, Environment]:
    """The Python that will most likely run, and what it has; the ledger's own where that cannot be told."""
    python = default_python(program)
    try:
        return python, capture(python)
    except LedgerError:
        own = Path(sys.executable)
        return own, capture(own)


@contextmanager
def _watched(
    request: CommandRequest, attachment: Attachment, run: str, python: Path
) -> Iterator[CheckpointWatcher | None]:
    """The folder that is named as the place of saves, by --watch or by the command's own --output_dir."""
    folder = request.watch or output_folder(request.argv)
    if folder is None:
        yield None
        return
    with CheckpointWatcher(folder, Snapshots(attachment.snapshots, run), python) as watched:
        yield watched


def _hint(request: CommandRequest, loop: AttachedLoop) -> str | None:
    """Why no save was looked at, where a user may have thought that it would be."""
    if loop.trainings or request.watch or output_folder(request.argv):
        return None
    option = deaf(request.argv)
    if option:
        return f"{option} keeps Python from hearing of the ledger; name the folder of its saves with --watch"
    if loop.models:
        return "it used models, but no trainer that is known; name the folder of its saves with --watch"
    return None


def _started(argv: Sequence[str], workspace: Workspace, environment: Environment) -> dict[str, Json]:
    return {
        "inputs": digest_json({"command": scrub_arguments(argv)}),
        "data": {},
        "environment": environment.digest,
        "machine": environment.machine_digest,
        "git": git_facts(status.read(workspace.root, ignore=[workspace.journal])),
        "command": scrub_arguments(argv),
        "folder": _folder(workspace),
        "preflight": Report().to_json(),
        "resumed": False,
    }


def _folder(workspace: Workspace) -> str:
    """Where it was called, relative to the repository where that is inside."""
    return relative_if_inside(Path.cwd().resolve(), workspace.root)


def _start(
    argv: Sequence[str], variables: dict[str, str], output: TextIO | None
) -> "subprocess.Popen[bytes]":
    # The child learns which run it is, so that a script can name its own output after it.
    try:
        return subprocess.Popen(argv, env={**os.environ, **variables}, stdout=output)
    except OSError as error:
        raise LedgerError(f"{argv[0]} could not be started: {error.strerror}") from error
