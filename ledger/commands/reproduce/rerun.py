"""Repeats a run: the same `ledger run`, in a process of its own in the work tree.

The work tree's record is deleted with it, so that the repetition does not mix with the repository's record.
"""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ledger.commands.reproduce.prerequisites import folder_of
from ledger.commands.run.plan import AGAIN
from ledger.errors import LedgerError
from ledger.journal.run import Run
from ledger.journal.runs import find, load_runs
from ledger.utils import own_packages
from ledger.workspace import Workspace

CLEAN = "PRE004"  # the work tree has the recorded uncommitted changes on purpose


def run_again(run: Run, tree: Workspace, overrides: Sequence[str] = ()) -> Run:
    """Repeat `run` in the work tree, with its messages on standard error. Returns the new run.

    Raises LedgerError when it could not be run, or was refused.
    """
    command, folder = _command(run, overrides), _folder(run, tree)
    # The spool is deleted with the tree, and must not be sent.
    environment = {**os.environ, "LEDGER_SEND": "never"}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE) as process:
        output = _read_output(process)
    try:
        document = json.loads(output)
    except ValueError as error:
        raise LedgerError(
            f"{run.id} could not be run again: `ledger run` ended with exit code {process.returncode}",
            hint="see its messages above",
        ) from error
    if document["run"] is None:
        codes = ", ".join(one["code"] for one in document["findings"] if one["severity"] == "error")
        raise LedgerError(f"{run.id} was refused by preflight: {codes}", hint="see the findings above")
    return find(load_runs(tree), document["run"])


def allowed_codes(run: Run) -> frozenset[str]:
    """The preflight errors that the run was allowed to have, and those that every repetition has."""
    accepted = {finding.code for finding in run.preflight.findings if finding.accepted}
    return frozenset({*accepted, AGAIN, CLEAN})


def _command(run: Run, overrides: Sequence[str]) -> list[str]:
    ledger = [*own_packages.command("ledger"), "run", run.experiment, "--json"]
    if run.mode == "command":
        return [*ledger, "--", *run.command]
    settings = [f"--set={one}" for one in (*run.overrides, *overrides)]
    allowed = [f"--allow={code}" for code in sorted(allowed_codes(run))]
    return [*ledger, *(["--rehearse"] if run.is_rehearsal else []), *settings, *allowed]


def _folder(run: Run, tree: Workspace) -> Path:
    return folder_of(run, tree) if run.mode == "command" else tree.root


def _read_output(process: "subprocess.Popen[bytes]") -> bytes:
    """Everything it prints. An interrupt from the terminal reaches it as well: it may end in its own way."""
    assert process.stdout is not None
    try:
        return process.stdout.read()
    except KeyboardInterrupt:
        process.wait()
        raise
