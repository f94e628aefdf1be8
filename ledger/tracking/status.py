"""What the last sender said, and what waits in the spool. Read by commands, so no heavy import."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ledger.findings import Json
from ledger.tracking.spool import Spool

STATUS = "status.json"


@dataclass(frozen=True, slots=True)
class Pending:
    """A run with events that were not sent, and why not, if a sender has tried."""

    run: str
    events: int
    error: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """How the last sending ended: where it went, and what failed, by run. `time` is ISO 8601, UTC."""

    time: str = ""
    destination: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Json]:
        """The content of `status.json`."""
        return {"time": self.time, "destination": self.destination, "errors": dict(self.errors)}


def spool_folder(root: Path) -> Path:
    """The spool of the repository at `root`."""
    return root / ".ledger" / "spool"


def read_status(root: Path) -> Status:
    """What the last sender left; nothing where none ran or the file is damaged."""
    try:
        data = json.loads((spool_folder(root) / STATUS).read_bytes())
        return Status(str(data["time"]), str(data["destination"]), dict(data["errors"]))
    except (OSError, ValueError, TypeError, KeyError):
        return Status()


def write_status(root: Path, status: Status) -> None:
    """Replace `status.json` atomically."""
    path = spool_folder(root) / STATUS
    fresh = path.with_name(f"{STATUS}.{os.getpid()}")
    fresh.write_text(json.dumps(status.to_json(), ensure_ascii=False, indent=1), encoding="utf-8")
    fresh.replace(path)


def pending(root: Path) -> list[Pending]:
    """The runs with unsent events, the longest untouched first. Costs two small reads a run."""
    errors = read_status(root).errors
    waiting = ((file.run, file.unsent()) for file in Spool(spool_folder(root)).files())
    return [Pending(run, events, errors.get(run)) for run, events in waiting if events]
