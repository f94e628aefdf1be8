"""The result of the last sending, as `ledger run` reads it: no heavy import."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ledger.utils.atomic_file import write_atomically

STATUS = "status.json"


@dataclass(frozen=True, slots=True)
class Status:
    """How the last sending ended: its destination, and the error of each run that failed. `time` is UTC."""

    time: str = ""
    destination: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)


def tracking_folder(root: Path) -> Path:
    """Where the repository at `root` stores the state, status, log and locks of sending."""
    return root / ".ledger" / "tracking"


def read_status(root: Path) -> Status:
    """The result of the last sending; an empty one where nothing was sent or the file is damaged."""
    try:
        data = json.loads((tracking_folder(root) / STATUS).read_bytes())
        return Status(str(data["time"]), str(data["destination"]), dict(data["errors"]))
    except (OSError, ValueError, TypeError, KeyError):
        return Status()


def write_status(root: Path, status: Status) -> None:
    """Replace `status.json`."""
    text = json.dumps(asdict(status), ensure_ascii=False, indent=1)
    write_atomically(tracking_folder(root) / STATUS, text.encode())
