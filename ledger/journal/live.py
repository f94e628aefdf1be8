"""What a run is doing at the moment: a small file in its folder, for `ledger ps` and the report's server.

It is not part of the record: the journal has the verdicts, and the file is gone once the run has ended.
"""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ledger.findings import Json
from ledger.utils.atomic_file import write_atomically
from ledger.utils.redaction import scrub_json

NAME = "live.json"
EVERY = 1.0  # seconds between two writes that nobody waits for


class LiveFile:
    """Writes the file of one run; what cannot be written is left out, since nothing depends on it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._facts: dict[str, Json] = {}
        self._last = 0.0

    def update(self, facts: Mapping[str, Json], *, at_once: bool = False) -> None:
        """Replace these facts; they are written `at_once`, or else with the next write."""
        self._facts.update(facts)
        now = time.monotonic()
        if at_once or now - self._last >= EVERY:
            self._last = now
            with suppress(OSError):
                write_atomically(self._path, json.dumps(scrub_json(self._facts)).encode())

    def remove(self) -> None:
        """Remove it: the run has ended."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def read_live(folder: Path) -> Mapping[str, Json]:
    """The facts in a run's folder; empty without a readable file."""
    with suppress(OSError, ValueError):
        found = json.loads((folder / NAME).read_bytes())
        if isinstance(found, dict):
            return found
    return {}


def describe_live(facts: Mapping[str, Json]) -> str:
    """One line, such as `training 40/90, loss 2.31, 0:00:20 left; 2 checkpoints verified, 1 failed`."""
    done, total, rate = (facts.get(name) for name in ("done", "total", "rate"))
    parts = [f"{facts['stage']} {done:,}/{total:,}" if total else str(facts.get("stage") or "")]
    parts.append(str(facts.get("detail") or ""))
    if rate and total:
        minutes, seconds = divmod(round((total - (done or 0)) / rate), 60)
        parts.append(f"{minutes // 60}:{minutes % 60:02}:{seconds:02} left")
    progress = ", ".join(filter(None, parts))
    checkpoints = facts.get("checkpoints") or []
    if not checkpoints:
        return progress
    failed = sum(one.get("verdict") == "fail" for one in checkpoints)
    verdicts = f"{len(checkpoints)} verified{f', {failed} failed' if failed else ''}"
    return f"{progress}; checkpoints: {verdicts}" if progress else f"checkpoints: {verdicts}"
