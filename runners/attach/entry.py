"""The first of our code that a process with a trainer loads; from here on `runners` can be imported.

Loaded by its path, by any Python: what it cannot serve it tells and leaves alone.
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
    """Let `runners.attach.<attachment>` guard the trainers of `module`; news go to the run's `folder`."""
    reason = obstacle()
    if reason:
        tell(folder, reason)
        return
    if "runners" not in sys.modules:
        load_runners()
    importlib.import_module("runners.attach." + attachment).attach(module, folder)


def obstacle() -> str | None:
    """Why it cannot be done in this process; None where it can."""
    if sys.version_info < OLDEST:
        return "its Python is %d.%d, evidence needs 3.11 or newer" % sys.version_info[:2]  # noqa: UP031
    known = sys.modules.get("runners")
    spec = known.__spec__ if known is not None else importlib.util.find_spec("runners")
    places = [os.path.realpath(place) for place in getattr(spec, "submodule_search_locations", None) or ()]
    if spec is not None and os.path.realpath(RUNNERS) not in places:
        return "the program has a package of its own that is called `runners`, as the ledger's is"
    return None


def load_runners() -> None:
    """As a worker does."""
    path = os.path.join(RUNNERS, "worker", "bootstrap.py")  # noqa: PTH118
    spec = importlib.util.spec_from_file_location("_ledger_bootstrap", path)
    bootstrap = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    spec.loader.exec_module(bootstrap)  # type: ignore[union-attr]
    bootstrap.load_runners()


def tell(folder: str, reason: str) -> None:
    """A skip, as `runners.attach.channel` writes one."""
    line = json.dumps({"event": "skip", "reason": reason}) + "\n"
    with open(os.path.join(folder, "events.jsonl"), "a", encoding="utf-8") as events:  # noqa: PTH118, PTH123
        events.write(line)
