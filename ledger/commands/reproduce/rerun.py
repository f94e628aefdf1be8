"""Run it again: the same `ledger run`, as a process of its own in the work tree, whose record is thrown away.

So nothing of the repetition mixes with the record of the repository: what is kept of it is copied.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ledger.commands.reproduce.prerequisites import folder_of
from ledger.commands.run.plan import AGAIN
from ledger.errors import LedgerError
from ledger.journal.run import Run
from ledger.journal.runs import find, load_runs
from ledger.workspace import Workspace

CLEAN = "PRE004"  # the work tree has the recorded changes: that is meant


def run_again(run: Run, tree: Workspace, overrides: Sequence[str] = ()) -> Run:
    """Repeat `run` in the work tree; what it says goes to standard error. Returns the new run.

    Raises LedgerError when it could not be run, or was refused.
    """
    command, folder = _command(run, overrides), _folder(run, tree)
    # What is spooled is thrown away with the tree: nobody shall send it.
    environment = {**os.environ, "LEDGER_SEND": "never"}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE) as process:
        said = _hear(process)
    try:
        document = json.loads(said)
    except ValueError as error:
        raise LedgerError(
            f"{run.id} could not be run again: `ledger run` ended with exit code {process.returncode}",
            hint="what it said stands above",
        ) from error
    if document["run"] is None:
        codes = ", ".join(one["code"] for one in document["findings"] if one["severity"] == "error")
        raise LedgerError(
            f"{run.id} was refused before it ran again: {codes}", hint="see what preflight said above"
        )
    return find(load_runs(tree), document["run"])


def allowed_then(run: Run) -> frozenset[str]:
    """The refusals that the run was let pass, and those that a repetition is about."""
    accepted = {finding.code for finding in run.preflight.findings if finding.accepted}
    return frozenset({*accepted, AGAIN, CLEAN})


def _command(run: Run, overrides: Sequence[str]) -> list[str]:
    # -P: the work tree may hold a folder called `ledger`, which must not be imported for this program.
    ledger = [sys.executable, "-P", "-m", "ledger", "run", run.experiment, "--json"]
    if run.mode == "command":
        return [*ledger, "--", *run.command]
    settings = [f"--set={one}" for one in (*run.overrides, *overrides)]
    allowed = [f"--allow={code}" for code in sorted(allowed_then(run))]
    return [*ledger, *(["--rehearse"] if run.is_rehearsal else []), *settings, *allowed]


def _folder(run: Run, tree: Workspace) -> Path:
    return folder_of(run, tree) if run.mode == "command" else tree.root


def _hear(process: "subprocess.Popen[bytes]") -> bytes:
    """All that it prints. An interrupt of the terminal reaches it as well: it is let end in its own way."""
    assert process.stdout is not None
    try:
        return process.stdout.read()
    except KeyboardInterrupt:
        process.wait()
        raise
