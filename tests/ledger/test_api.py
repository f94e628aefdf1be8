"""The interface for programs and notebooks."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import ledger
from ledger.errors import LedgerError
from ledger.findings import Verdict
from tests.ledger.cli.conftest import recorded  # noqa: F401 - the repository with a small journal

ROOT = Path(__file__).parents[2]
OUTPUT = ["猫が窓のそばで寝ています。", ". . . . . . . ."]
REFERENCE = ["猫が窓辺で寝ています。", "犬が庭で走っています。"]


def test_importing_it_imports_nothing_else():
    program = "import sys; before = set(sys.modules); import ledger; print(*set(sys.modules) - before)"
    shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert {name for name in shown.split() if name.partition(".")[0] == "ledger"} == {"ledger"}


def test_the_example_of_its_page_runs(capsys):
    page = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    exec(block, {})
    verdict, *codes = capsys.readouterr().out.split("\n")[0].split(" ", 1)
    assert verdict == "fail"
    assert "TXT002" in codes[0]


def test_lines_are_checked_like_files():
    result = ledger.check(OUTPUT, reference=REFERENCE, language="ja", min_bleu=99)
    assert result.verdict is Verdict.FAIL
    assert {"TXT002", "SCO001"} <= {finding.code for finding in result.findings}
    assert result.rates["TXT002"] == 0.5
    assert result.to_json()["scores"]["bleu"]["signature"].startswith("BLEU|nrefs:1")
    assert ledger.check(REFERENCE, language="ja").verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("output", "options", "message"),
    [
        ([], {}, "no lines"),
        (OUTPUT, {"reference": ["a"], "language": "ja"}, "2 lines and the reference has 1"),
        (OUTPUT, {"reference": REFERENCE}, "need the language"),
        (OUTPUT, {"language": "japanese"}, "invalid language code"),
        (OUTPUT, {"max_rate": {"TXT99": 0.1}}, "no text guard has that code"),
    ],
)
def test_bad_input_is_an_error_that_says_what_to_do(output, options, message):
    with pytest.raises(LedgerError, match=message) as raised:
        ledger.check(output, **options)
    assert raised.value.hint


def test_a_notebook_shows_tables_without_the_markup_of_others():
    shown = ledger.check(["<script>alert(1)</script> 猫です"] * 3, language="ja")._repr_html_()
    assert shown.startswith("<p><b>")
    assert "<script>" not in shown


def test_runs_are_rows_and_a_frame(recorded):  # noqa: F811
    found = ledger.runs()
    assert [row["id"] for row in found.rows()] == [run.id for run in found]
    frame = found.frame()
    assert list(frame.index) == [run.id for run in found]
    assert "bleu" in frame.columns
    assert found[0].id in found._repr_html_()
    assert len(ledger.runs(recorded.root / "experiments")) == len(found)


def test_no_runs_are_an_empty_frame(recorded):  # noqa: F811
    recorded.journal.unlink()
    assert ledger.runs().frame().empty


def test_files_are_compared(tmp_path):
    for name, lines in (("a", OUTPUT), ("b", REFERENCE), ("ref", REFERENCE)):
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = ledger.compare(tmp_path / "a", tmp_path / "b", reference=tmp_path / "ref", language="ja")
    assert found.lines == 2
    assert found.tests[0].difference > 0


def test_a_missing_checkpoint_is_an_error(tmp_path):
    with pytest.raises(LedgerError, match="does not exist"):
        ledger.verify(tmp_path / "none")


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        ledger.nothing  # noqa: B018
