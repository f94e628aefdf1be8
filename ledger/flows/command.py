"""`ledger run -- CMD…`: record any command: what it was, in which environment and commit, how it ended."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from ledger import gitstate
from ledger.canonical import digest_json
from ledger.environment import Environment
from ledger.errors import LedgerError, UsageError
from ledger.findings import Json, Report, Verdict
from ledger.flows.record import Recorder, git_facts, new_run_id
from ledger.secrets import scrub_arguments
from ledger.workspace import Workspace
from runners.environment import capture


@dataclass(frozen=True, slots=True)
class Recorded:
    """A command that ran. `exit_code` is the shell's: 128 + n where signal n ended it."""

    run: str
    experiment: str
    exit_code: int
    seconds: float

    @property
    def verdict(self) -> Verdict:
        """A command passes by ending with 0."""
        return verdict_of(self.exit_code)


def run_command(
    workspace: Workspace,
    argv: Sequence[str],
    experiment: str | None = None,
    output: TextIO | None = None,
) -> Recorded:
    """Run `argv` with this terminal's own input and output, and record it.

    What it prints goes to `output` where that is given.

    Raises UsageError when there is no such program. A command that fails is recorded as failed.
    """
    program = shutil.which(argv[0])
    if program is None:
        raise UsageError(f"there is no program {argv[0]!r}", hint="check the name after `--`, and PATH")
    name = experiment or Path(argv[0]).name
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]*", name):
        raise UsageError(
            f"{name!r} cannot be an experiment's name",
            hint="use letters, digits and . _ + -: ledger run NAME -- COMMAND",
        )
    with Recorder(workspace, "command", name, new_run_id(name)) as recorder:
        environment = capture(Path(sys.executable))
        recorder.environment(environment)
        recorder.started(_started(argv, workspace, environment))
        begun = time.monotonic()
        try:
            exit_code = _run([program, *argv[1:]], recorder, output)
        except LedgerError as error:
            recorder.failed(error.message, time.monotonic() - begun)
            raise
        seconds = time.monotonic() - begun
        recorder.finished(_finished(exit_code, seconds))
    return Recorded(recorder.run, name, exit_code, seconds)


def verdict_of(exit_code: int) -> Verdict:
    """What a command's exit code amounts to."""
    return Verdict.FAIL if exit_code else Verdict.PASS


def _started(argv: Sequence[str], workspace: Workspace, environment: Environment) -> dict[str, Json]:
    return {
        "inputs": digest_json({"command": scrub_arguments(argv)}),
        "data": {},
        "environment": environment.digest,
        "machine": environment.machine_digest,
        "git": git_facts(gitstate.read(workspace.root, ignore=[workspace.journal])),
        "command": scrub_arguments(argv),
        "folder": _folder(workspace),
        "preflight": Report().to_json(),
        "resumed": False,
    }


def _folder(workspace: Workspace) -> str:
    """Where it was called, relative to the repository where that is inside."""
    here = Path.cwd().resolve()
    return str(here.relative_to(workspace.root) if here.is_relative_to(workspace.root) else here)


def _finished(exit_code: int, seconds: float) -> dict[str, Json]:
    return {
        "status": "failed" if exit_code else "finished",
        "seconds": round(seconds, 3),
        "exit_code": exit_code,
        "output": None,
        "metrics": {},
        "report": Report().to_json(),
        "verdict": str(verdict_of(exit_code)),
    }


def _run(argv: Sequence[str], recorder: Recorder, output: TextIO | None) -> int:
    # The child learns which run it is, so that a script can name its own output after it.
    environment = {**os.environ, "LEDGER_RUN": recorder.run}
    try:
        child = subprocess.Popen(argv, env=environment, stdout=output)
    except OSError as error:
        raise LedgerError(f"{argv[0]} could not be started: {error.strerror}") from error
    while True:
        try:
            code = child.wait()
            return 128 - code if code < 0 else code
        except KeyboardInterrupt:
            # The terminal has sent it to the child as well: let that end in its own way, and record how.
            continue
