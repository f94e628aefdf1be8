"""docs/specs.md shows what is true: its table, its specs, its error message, its commands."""

import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest

from ledger.errors import UsageError
from ledger.specs import load_experiment
from ledger.specs.reference import field_table

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/specs.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[tuple[str, str]]:
    return re.findall(rf"^```{language} ?([^\n]*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with the specs that the page shows."""
    monkeypatch.chdir(tmp_path)
    for name, text in blocks("yaml"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "experiments"


def test_the_table_is_the_models():
    found = re.search(r"<!-- fields: .* -->\n(.*)\n<!-- end of fields -->", PAGE, re.DOTALL)
    assert found
    assert found[1] == field_table(), "paste what `python -m ledger.specs.reference` prints"


def test_every_key_is_explained():
    rows = field_table().splitlines()[2:]
    assert all(re.fullmatch(r"\| [^|]+ \| [^|]+ \| [^|]* \| [^|]{8,} \|", row) for row in rows)


def test_the_first_spec(shown):
    spec = load_experiment("small", shown)
    assert (spec.model.family, spec.generation.parameters()) == ("mbart50", {"num_beams": 3})


def test_the_spec_that_extends_it(shown):
    small, wide = load_experiment("small", shown), load_experiment("wide", shown)
    assert (wide.model, wide.codes, wide.data) == (small.model, small.codes, small.data)
    assert (wide.generation.num_beams, wide.generation.batch_size) == (5, 16)


def test_the_error_message(shown):
    with pytest.raises(UsageError) as caught:
        load_experiment("wrong", shown)
    assert str(caught.value) == blocks("text")[0][1].rstrip("\n")


COMMANDS = [line.removeprefix("$ ") for _, text in blocks("console") for line in text.splitlines()]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands(command):
    words = shlex.split(command)
    overrides = [after for word, after in pairwise(words) if word == "--set"]
    assert overrides
    changed = load_experiment(words[2], ROOT / "experiments", overrides)
    assert changed.digest != load_experiment(words[2], ROOT / "experiments").digest
