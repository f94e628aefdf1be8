"""Takes over what an earlier version left in its spool: the events of each run, `.ledger/spool/RUN.jsonl`.

The journal holds the same runs, so only the metric series, the samples and whether all was sent are read.
"""

import json
from pathlib import Path

from filelock import FileLock

from ledger.findings import Json
from ledger.tracking.queue import Sent, recorded_runs, remember
from ledger.tracking.series import SAMPLES, SERIES, MetricPoint, encode
from ledger.tracking.status import tracking_folder
from ledger.utils.atomic_file import write_atomically
from ledger.workspace import Workspace


def take_over(workspace: Workspace) -> dict[str, int]:
    """Move what the spool holds of recorded runs to their run folders, and delete its files.

    Returns the number of events of each other run that was not sent: it stays, as it may be recorded on
    another branch. Safe to repeat after a kill: a file is deleted when everything of it is stored.
    """
    spool = workspace.private / "spool"
    if not any(spool.glob("*.jsonl")):
        return {}
    left = {}
    tracking_folder(workspace.root).mkdir(parents=True, exist_ok=True)
    with FileLock(tracking_folder(workspace.root) / "spool.lock"):
        recorded = recorded_runs(workspace)
        for path in sorted(spool.glob("*.jsonl")):
            lines = path.read_bytes().splitlines()
            state = path.with_name(f"{path.stem}.sent.json")
            sent = _sent(state)
            complete = (sent.get("offset") or 0) >= path.stat().st_size
            if path.stem in recorded:
                _move(workspace, path.stem, lines, sent if complete else {})
                path.unlink()
                state.unlink(missing_ok=True)
            elif not complete:
                left[path.stem] = len(lines)
    return left


def _move(workspace: Workspace, run: str, lines: list[bytes], sent: dict[str, Json]) -> None:
    """Store the series and samples of a run, and its state, where `sent` says that all of it was sent."""
    events = [_decode(line) for line in lines]
    folder = workspace.runs / run
    folder.mkdir(parents=True, exist_ok=True)
    series = _series(lines, events)
    later = (folder / SERIES).read_bytes() if (folder / SERIES).is_file() else b""
    write_atomically(folder / SERIES, series + later)
    for event in events:
        if event.get("event") == "table" and event.get("name") == "samples":
            table = {"columns": event["columns"], "data": event["rows"]}
            write_atomically(folder / SAMPLES, json.dumps(table, ensure_ascii=False).encode())
    if sent:
        tags = [event.get("tags") or {} for event in events]
        ids = {one[name] for one in tags for name in ("ledger.entry", "ledger.entry.started") if name in one}
        lost = tuple(sent.get("lost") or ())
        state = Sent(str(sent.get("destination")), str(sent.get("mlflow_run")), tuple(ids), len(series), lost)
        remember(workspace, run, state)


def _series(lines: list[bytes], events: list[dict[str, Json]]) -> bytes:
    """The points, and the damaged lines, which sending reports.

    Points that a journal entry holds too are left out: they have the very time of the end of an observed run.
    """
    imported = any(event.get("mode") == "imported" for event in events)
    ends = {event["time"] for event in events if event.get("event") == "finish" and not imported}
    series: list[bytes] = []
    for line, event in zip(lines, events, strict=True):
        if not event:
            series.append(line + b"\n")
        elif event["event"] == "metric" and event["time"] not in ends:
            point = MetricPoint(event["name"], event["value"], event["time"], event["step"])
            series.append(encode([point]))
    return b"".join(series)


def _decode(data: bytes) -> dict[str, Json]:
    """The object that a line holds; empty where it is damaged."""
    try:
        event = json.loads(data)
    except ValueError:
        return {}
    return event if isinstance(event, dict) and "event" in event else {}


def _sent(path: Path) -> dict[str, Json]:
    """How much was sent; nothing where the state is missing or damaged."""
    try:
        state: dict[str, Json] = json.loads(path.read_bytes())
        return state if state["offset"] >= 0 else {}
    except (OSError, ValueError, TypeError, KeyError):
        return {}
