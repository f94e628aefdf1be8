"""The pages show what the commands print."""

import re
from pathlib import Path

import pytest

from ledger.cli.sync import _lines

PAGE = (Path(__file__).parents[3] / "docs/commands/sync.md").read_text(encoding="utf-8")
REFUSED = "connection refused: no server listens there"


def run(name, sent, unsent=0, error=None):
    return {"run": name, "sent": sent, "unsent": unsent, "lost": [], "error": error}


@pytest.mark.parametrize(
    ("block", "destination", "runs"),
    [
        (0, "sqlite:////home/ann/mt/.ledger/mlflow.db", [run("exp7-3fa91c", 13)]),
        (
            1,
            "http://mlflow.lab:5000",
            [run("exp7-3fa91c", 0, 13, REFUSED), run("exp8-91ac02", 0, 11, REFUSED)],
        ),
    ],
)
def test_the_page_shows_what_sync_prints(block, destination, runs):
    shown = re.findall(r"^```text\n\$ [^\n]*\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[block]
    printed = _lines({"destination": destination, "runs": runs}, sum(run["unsent"] for run in runs))
    assert shown.splitlines() == printed
