"""The published matrix is about the pinned environments."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "matrix.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line[:2] == "| "
]


def test_its_versions_are_those_of_the_lockfiles():
    pinned = {
        re.search(r"^transformers==(\S+)", path.read_text(), re.MULTILINE)[1]
        for path in (ROOT / "lockfiles").glob("mt-*.txt")
    }
    assert {name.removeprefix("loaded by ") for name in ROWS[0][2:]} == pinned
    assert {row[1] for row in ROWS[1:]} == pinned


def test_every_verdict_is_what_the_texts_say():
    cells = [cell for row in ROWS[1:] for cell in row[2:]]
    assert len(cells) == 54
    for cell in cells:
        passed, same, bleu = re.fullmatch(
            r"(pass|\*\*FAIL\*\* [A-Z0-9 ]+); (\d+)% same, BLEU (\d+\.\d)", cell
        ).groups()
        assert (passed == "pass") == (int(same) == 100)
        assert (float(bleu) < 5) == (passed != "pass")
