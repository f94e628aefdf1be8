"""The texts of a recorded run: its output, source and reference.

A file is only used while its digest is the recorded one: a later run may have overwritten it.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ledger.errors import LedgerError
from ledger.evidence import Unobserved
from ledger.journal.run import Run
from ledger.utils.hashing import digest_file, digest_json
from ledger.utils.textfiles import read_lines
from ledger.workspace import Workspace

Lines = list[str]


def read_output(workspace: Workspace, run: Run) -> Lines | Unobserved:
    """The lines that the run wrote, or why they are not available."""
    output = run.output
    if output is None or output.sha256 is None:
        return Unobserved(f"{run.id} recorded no output text")
    paths = [workspace.root / output.path, *_tracked_copies(workspace, run, Path(output.path).name)]
    return _first_unaltered(paths, output.sha256, f"the output of {run.id}")


def read_data(workspace: Workspace, run: Run, role: str) -> Lines | Unobserved:
    """The `source` or `reference` that the run read, or why it is not available."""
    file = run.data.get(role)
    if file is None:
        return Unobserved(f"{run.id} had no {role}")
    if run.is_rehearsal:
        return _rehearsal_lines(workspace, run, role, file.sha256)
    return _first_unaltered([workspace.root / file.path], file.sha256, f"the {role} of {run.id}")


def _rehearsal_lines(workspace: Workspace, run: Run, role: str, sha256: str | None) -> Lines | Unobserved:
    # Reads two catalogues, which most calls do not need.
    from runners.rehearsal.text import has_text, rehearsal_text

    source, target = run.spec["languages"]["source"], run.spec["languages"]["target"]
    own = workspace.runs / run.id / f"{role}.{source if role == 'source' else target}"
    if has_text(source, target):
        lines = list(rehearsal_text(source, target)[role != "source"])
    elif own.is_file():
        lines = read_lines(own)
    else:
        return Unobserved(f"the {role} of {run.id} is not available: {own} is gone")
    if digest_json(lines).removeprefix("sha256:") != sha256:
        return Unobserved(f"the rehearsals' text has changed since {run.id}")
    return lines


def _tracked_copies(workspace: Workspace, run: Run, name: str) -> list[Path]:
    """Copies in MLflow's folder in the repository. Those on a tracking server are not fetched."""
    return sorted((workspace.private / "mlartifacts").glob(f"{run.experiment}*/*/artifacts/**/{name}"))


def _first_unaltered(paths: Sequence[Path], sha256: str | None, what: str) -> Lines | Unobserved:
    existing = [path for path in paths if path.is_file()]
    for path in existing:
        with suppress(OSError, LedgerError):
            if digest_file(path)["sha256"] == sha256:
                return read_lines(path)
    return Unobserved(f"{what} is not available: {paths[0]} {'was changed since' if existing else 'is gone'}")
