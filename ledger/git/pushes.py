"""The push that a CI job on GitHub checks, from the event that started the job."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NO_COMMIT = "0"  # what an event has as `before` of a new branch, 40 or 64 times


@dataclass(frozen=True, slots=True)
class Push:
    """A push to the default branch: the commits after `before`, up to and with `after`."""

    before: str
    after: str


def push_of_job(environment: Mapping[str, str]) -> Push | None:
    """The push to the default branch that started this job; None for other events and outside of GitHub."""
    event = read_event(environment)
    default = (event.get("repository") or {}).get("default_branch")
    before, after = str(event.get("before") or ""), str(event.get("after") or "")
    is_default = event.get("ref") == f"refs/heads/{default}"
    if not is_default or not before.strip(NO_COMMIT) or not after.strip(NO_COMMIT):
        return None
    return Push(before, after)


def read_event(environment: Mapping[str, str]) -> dict[str, Any]:
    """The event of this job; empty outside of GitHub or where the file cannot be read."""
    path = environment.get("GITHUB_EVENT_PATH")
    try:
        event = json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
    except (OSError, ValueError):
        return {}
    return event if isinstance(event, dict) else {}
