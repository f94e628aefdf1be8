"""The first module that a process with a trainer loads; afterwards `runners` can be imported.

It is loaded by its path, in any Python; where that is not supported it reports a skip and does nothing.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
from typing import Any

OLDEST = (3, 11)
HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
RUNNERS = os.path.dirname(HERE)  # noqa: PTH120


def attach(attachment: str, module: Any, folder: str) -> None:
    """Attach `runners.attach.<attachment>` to the trainers of `module`; events go to the run's `folder`."""
    reason = obstacle()
    if reason:
        report_skip(folder, reason)
        return
    if "runners" not in sys.modules:
        load_runners()
    importlib.import_module("runners.attach." + attachment).attach(module, folder)


def obstacle() -> str | None:
    """Why this process cannot be attached to; None if it can."""
    if sys.version_info < OLDEST:
        return "its Python is %d.%d, evidence needs 3.11 or newer" % sys.version_info[:2]  # noqa: UP031
    known = sys.modules.get("runners")
    spec = known.__spec__ if known is not None else importlib.util.find_spec("runners")
    places = [os.path.realpath(place) for place in getattr(spec, "submodule_search_locations", None) or ()]
    if spec is not None and os.path.realpath(RUNNERS) not in places:
        return "the program has its own package `runners`, which is the name of the ledger's"
    return None


def load_runners() -> None:
    """Make `import runners` work, as in a worker."""
    path = os.path.join(RUNNERS, "worker", "bootstrap.py")  # noqa: PTH118
    spec = importlib.util.spec_from_file_location("_ledger_bootstrap", path)
    bootstrap = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    spec.loader.exec_module(bootstrap)  # type: ignore[union-attr]
    bootstrap.load_runners()


def report_skip(folder: str, reason: str) -> None:
    """Append a skip event, as `runners.attach.channel` does."""
    line = json.dumps({"event": "skip", "reason": reason}) + "\n"
    with open(os.path.join(folder, "events.jsonl"), "a", encoding="utf-8") as events:  # noqa: PTH118, PTH123
        events.write(line)
