"""A Dockerfile that runs the same commit with the same lockfile and command. Data is mounted, not copied."""

import json
import shlex

from ledger import __version__
from ledger.errors import LedgerError
from ledger.exporters.record import Record
from ledger.utils.escape import visible
from ledger.utils.plural import and_more, count

TEMPLATE = """\
# syntax=docker/dockerfile:1
# {run} of {date}, commit {commit}.
# In the repository: docker build -f FILE -t {tag} . && docker run --rm {gpus}{mounts}{tag}
{warnings}FROM python:{python}-slim
RUN apt-get update && apt-get install --yes --no-install-recommends git && rm -rf /var/lib/apt/lists/*
ENV PYTHONUNBUFFERED=1 LEDGER_ENVIRONMENTS=/opt/environments
# To install a wheel or from a repository instead: docker build --build-arg LEDGER=…
ARG LEDGER=experiment-ledger=={ledger}
RUN python -m venv /opt/ledger && /opt/ledger/bin/pip install --no-cache-dir "$LEDGER"
ENV PATH=/opt/ledger/bin:$PATH
WORKDIR /repository
COPY .git .git
RUN git checkout --force --detach {commit}
{build}CMD {command}
"""


def export(record: Record) -> str:
    """The Dockerfile. Raises LedgerError if the run's commit is unknown."""
    commit = record.git.get("commit")
    if not commit:
        raise LedgerError(
            f"{record.run.id} was not run from a commit, so it cannot be rebuilt in an image",
            hint="commit, then run it again",
        )
    on_cpu = record.run.is_rehearsal or record.spec.get("device") == "cpu"
    lockfile = record.spec.get("environment")
    stated = record.environment.get("python")
    python = str((stated.get("version") if isinstance(stated, dict) else stated) or "3.11")
    values = {
        "run": record.run.id,
        "date": record.run.time[:10],
        "commit": commit,
        "tag": _tag(record.run.experiment),
        "gpus": "--gpus all " if record.spec and not on_cpu else "",
        "mounts": _mounts(record),
        "python": ".".join(python.split(".")[:2]),
        "ledger": __version__,
        "command": json.dumps(_command(record), ensure_ascii=False),
    }
    return TEMPLATE.format(
        **{name: visible(value) for name, value in values.items()},  # a line feed would begin an instruction
        warnings=f"{visible(warnings)}\n" if (warnings := _warnings(record)) else "",
        build=f"RUN ledger env build {visible(shlex.quote(lockfile))}\n" if lockfile else "",
    )


def _tag(experiment: str) -> str:
    """A valid image name: lower-case letters and digits, with . _ - inside."""
    return "".join(c if c.isalnum() or c in "._-" else "-" for c in experiment.lower()).strip("._-") or "run"


def _command(record: Record) -> list[str]:
    run = record.run
    if run.mode == "command":
        return ["ledger", "run", run.experiment, "--", *run.command]
    settings = [f"--set={one}" for one in run.overrides]
    return [
        "ledger",
        "run",
        run.experiment,
        *(["--rehearse"] if run.is_rehearsal else []),
        *settings,
        "--again",
    ]


def _mounts(record: Record) -> str:
    """Options that mount the folders of the run's data, which git may not have."""
    if record.run.is_rehearsal:
        return ""
    folders = {file.path.partition("/")[0] for file in record.run.data.values()}
    return "".join(f'-v "$PWD/{name}:/repository/{name}" ' for name in sorted(folders - {"", "."}))


def _warnings(record: Record) -> str:
    changed = record.git.get("changed") or []
    if not changed:
        return ""
    changes = count(len(changed), "uncommitted change")
    return f"# NOT in this image: {changes} of the run: {and_more(changed, 5)}"
