"""`ledger run -- CMD…`: record any command: its words, environment and commit, and how it ended.

The checkpoints of trainings in it are verified while they run: see `ledger.commands.run.monitor`.
"""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import TIMEOUT_MAX
from typing import TYPE_CHECKING, TextIO

from guards.guard import inspect
from guards.preflight import uncommitted_changes
from ledger.commands.reporter import Reporter
from ledger.commands.run.command.checkpoint_watcher import CheckpointWatcher
from ledger.commands.run.command.child import GRACE, Child
from ledger.commands.run.command.read_files import ignored_reads
from ledger.commands.run.command.report import finished, report_of
from ledger.commands.run.command.source import CommandSource
from ledger.commands.run.interrupts import interruptible
from ledger.commands.run.limits import training_limits
from ledger.commands.run.monitor import CheckpointMonitor
from ledger.commands.run.recorder import Recorder, git_facts, new_run_id
from ledger.environments.environment import Environment
from ledger.errors import LedgerError, UsageError
from ledger.evidence import Evidence
from ledger.evidence.preflight import GitExpectation, GitState
from ledger.findings import Json, Report
from ledger.git import status
from ledger.utils.hashing import digest_json
from ledger.utils.paths import relative_if_inside
from ledger.utils.redaction import scrub_arguments
from ledger.workspace import Workspace
from runners.attach.snapshots import Snapshots
from runners.environments.inspection import capture
from runners.host.attachment import Attachment, default_python, isolating_option, output_folder

if TYPE_CHECKING:
    from runners.host.verification import ReloadOptions

ON_FAIL = ("stop", "warn")


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """The user's request. `on_fail` None: as `[tool.ledger]` says. `watch` is a folder that is searched for
    checkpoints, `options` has the lines that they translate. `output` receives the command's standard output;
    None: this process's own."""

    argv: Sequence[str]
    experiment: str | None = None
    on_fail: str | None = None
    watch: Path | None = None
    options: "ReloadOptions | None" = None
    output: TextIO | None = None


@dataclass(frozen=True, slots=True)
class RecordedCommand:
    """A command that ran. `exit_code` is the shell's: 128 + n where signal n ended it.

    `recorded` is the body of the journal's last entry, `report` has the findings about its checkpoints.
    """

    run: str
    experiment: str
    exit_code: int
    seconds: float
    report: Report
    recorded: dict[str, Json] = field(default_factory=dict)
    interrupted: bool = False


def run_command(workspace: Workspace, request: CommandRequest, reporter: Reporter) -> RecordedCommand:
    """Run a command with this terminal's own input and output, guard its checkpoints, and record it.

    Raises UsageError when there is no such program. A command that fails is recorded as failed.
    """
    argv = request.argv
    program = shutil.which(argv[0])
    if program is None:
        raise UsageError(f"there is no program {argv[0]!r}", hint="check the name after `--`, and PATH")
    name = _name(request)
    on_fail = _policy(workspace, request)
    _refuse_second_trainer(workspace, argv)
    child = Child(_grace(workspace))
    with interruptible(child.on_signal), Recorder(workspace, "command", name, new_run_id(name)) as recorder:
        python, environment = _environment(program)
        recorder.environment(environment)
        git = status.read(workspace.root, ignore=[workspace.journal])
        if git.unread:
            reporter.say(f"ledger: no commit is recorded: {git.unread}")
        started = _started(argv, workspace, environment, git)
        recorder.started(started)
        attachment = Attachment(recorder.folder)
        variables = attachment.environment(recorder.run, environment.digest, python)

        def say(text: str) -> None:
            reporter.say(f"ledger: {text}")

        limits = training_limits(workspace, None)
        monitor = CheckpointMonitor(
            recorder,
            say,
            {python: environment},
            stop_on_fail=on_fail == "stop",
            limits=limits,
            options=request.options,
        )
        begun = time.monotonic()
        try:
            with _watcher(request, attachment, recorder.run, python) as watcher:
                variables["LEDGER_RUN"] = recorder.run  # so that a script can name its own output after it
                process = child.start([program, *argv[1:]], variables, request.output, recorder.lock)
                source = CommandSource(monitor, attachment, process, watcher, lambda: child.is_urgent)
                code = _follow(monitor, source, process)
            child.close()
            attachment.remove_snapshots(_folders(monitor, source))
        except (LedgerError, OSError) as error:
            recorder.failed(str(error).splitlines()[0], time.monotonic() - begun)
            raise
        exit_code = 128 - code if code < 0 else code
        seconds = time.monotonic() - begun
        hint = _hint(request, source)
        report = report_of(monitor, source, warn_only=on_fail == "warn", hint=hint)
        reads = ignored_reads(workspace, recorder.folder, argv, time.time() - seconds)
        ended: dict[str, Json] = {"exit_code": exit_code, "seconds": round(seconds, 3), "reads": reads}
        if source.trainings and monitor.points:
            identical, ended["series"] = _compare_training(recorder, monitor, list(started["command"]))
            report += identical
        recorded = {**ended, **finished(monitor, source, report, recorder, failed=exit_code != 0)}
        if child.signal:
            recorded |= {"status": "interrupted", "signal": child.signal.name, "verdict": "inconclusive"}
        recorder.finished(recorded)
    interrupted = monitor.interrupted or child.signal is not None
    return RecordedCommand(recorder.run, name, exit_code, seconds, report, recorded, interrupted)


def _compare_training(
    recorder: Recorder, monitor: CheckpointMonitor, command: list[str]
) -> tuple[Report, dict[str, Json]]:
    """Whether an earlier training had the same losses, and the record of this one's series."""
    from ledger.commands.run.training_health import inspect_identity, training_identity
    from ledger.journal.loss_log import write_series
    from ledger.journal.runs import load_runs

    series = write_series(recorder.folder, monitor.points)
    identity = training_identity(recorder.run, recorder.experiment, monitor.points, {"command": command})
    earlier = (run.training_identity() for run in load_runs(recorder.workspace))
    return inspect_identity(identity, earlier), series


def _follow(monitor: CheckpointMonitor, source: CommandSource, child: "subprocess.Popen[bytes]") -> int:
    """Wait for the command and the verifications; returns its exit code, negative for a signal."""
    try:
        monitor.run(source)
    except (LedgerError, OSError) as error:
        if child.poll() is None:
            monitor.say(f"the command continues, but its checkpoints are no longer verified: {error}")
            child.wait()
        raise
    return child.wait()


def _folders(monitor: CheckpointMonitor, source: CommandSource) -> Iterator[Path]:
    """The folders in which, or next to which, checkpoints may have been linked."""
    yield from (one.folder for one in source.trainings)
    yield from (one.folder.parent for one in monitor.checkpoints)
    yield from (one.folder.parent for one in monitor.unverified if one.folder)


def _name(request: CommandRequest) -> str:
    name = request.experiment or Path(request.argv[0]).name
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]*", name):
        raise UsageError(
            f"{name!r} cannot be an experiment's name",
            hint="use letters, digits and . _ + -: ledger run NAME -- COMMAND",
        )
    return name


def _grace(workspace: Workspace) -> float:
    seconds = workspace.settings.get("grace", GRACE)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= TIMEOUT_MAX:
        raise UsageError(
            f"pyproject.toml, [tool.ledger]: invalid grace: {seconds!r}", hint="give seconds: grace = 30"
        )
    return seconds


def _refuse_second_trainer(workspace: Workspace, argv: Sequence[str]) -> None:
    """Raise LedgerError where a recorded command still trains in the folder that this one names."""
    folder = output_folder(argv)
    if folder is None:
        return
    from ledger.journal.runs import load_runs

    for run in load_runs(workspace):
        theirs = output_folder(run.command) if run.status == "running" else None
        if theirs and (workspace.root / run.folder / theirs).resolve() == folder.resolve():
            raise LedgerError(
                f"{run.id} still trains in {folder}",
                hint="wait for it or end it (see: ledger ps), then repeat",
            )


def _policy(workspace: Workspace, request: CommandRequest) -> str:
    policy = request.on_fail or workspace.settings.get("on_fail", "stop")
    if policy not in ON_FAIL:
        raise UsageError(
            f"pyproject.toml, [tool.ledger]: invalid on_fail: {policy!r}", hint='use "stop" or "warn"'
        )
    return str(policy)


def _environment(program: str) -> tuple[Path, Environment]:
    """The Python that will most likely run, and its environment; the ledger's own where that fails."""
    python = default_python(program)
    try:
        return python, capture(python)
    except LedgerError:
        own = Path(sys.executable)
        return own, capture(own)


@contextmanager
def _watcher(
    request: CommandRequest, attachment: Attachment, run: str, python: Path
) -> Iterator[CheckpointWatcher | None]:
    """A watcher of the folder that --watch, or the command's own --output_dir, names."""
    folder = request.watch or output_folder(request.argv)
    if folder is None:
        yield None
        return
    with CheckpointWatcher(folder, Snapshots(attachment.snapshots, run), python) as watcher:
        yield watcher


def _hint(request: CommandRequest, source: CommandSource) -> str | None:
    """Why no checkpoint was verified, where a user may have expected that."""
    if source.trainings or request.watch or output_folder(request.argv):
        return None
    option = isolating_option(request.argv)
    if option:
        reason = f"{option} keeps Python from loading the ledger's hooks"
        return f"{reason}; name the folder of its checkpoints with --watch"
    if source.models:
        return "it used models, but no known trainer; name the folder of its checkpoints with --watch"
    return None


def _started(
    argv: Sequence[str], workspace: Workspace, environment: Environment, git: GitState
) -> dict[str, Json]:
    before = Report()
    if git.unread:  # other uncommitted changes are not reported for a command
        before = inspect([uncommitted_changes], Evidence(GitExpectation(clean=False)), Evidence(git))
    return {
        "inputs": digest_json({"command": scrub_arguments(argv)}),
        "data": {},
        "environment": environment.digest,
        "machine": environment.machine_digest,
        "git": git_facts(git),
        "command": scrub_arguments(argv),
        "folder": _folder(workspace),
        "preflight": before.to_json(),
        "resumed": False,
    }


def _folder(workspace: Workspace) -> str:
    """The current folder, relative to the repository if it is inside."""
    return relative_if_inside(Path.cwd().resolve(), workspace.root)
