import io
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from ledger.display.table import GAP, LEAST, Column, Table, fit, fold, styled
from ledger.utils.escape import visible

TEXT = st.text(alphabet="ab ._-(/)漢字", max_size=60)
HEADLESS = ("", "", "")


def squeezed(text):
    return re.sub(r"\s", "", text)


def test_a_long_name_breaks_where_it_has_joints():
    assert fold("Seq2SeqTrainingArguments.use_cache", 26) == ["Seq2SeqTrainingArguments.", "use_cache"]
    assert fold("only in B, imported", 12) == ["only in B,", "imported"]
    assert fold("it is (not) here", 7) == ["it is", "(not)", "here"]
    assert fold("abcdefgh", 3) == ["abc", "def", "gh"]


def test_the_widest_column_gives_way_and_the_others_stay_whole():
    rows = [["1", "a.much.longer.name.here", "5.0.0"], ["2", "b", "-"]]
    assert Table(HEADLESS, rows).lines(22) == [
        "1  a.much.       5.0.0",
        "   longer.name.",
        "   here",
        "2  b             -",
    ]


def test_what_a_terminal_would_obey_is_shown():
    assert Table(("", ""), [["a\x1b[2Jb\n", "c"]]).lines(80) == [
        "a\N{REPLACEMENT CHARACTER}[2Jb\N{REPLACEMENT CHARACTER}  c"
    ]


@given(TEXT, st.integers(2, 40))
def test_folding_loses_nothing_but_space_and_keeps_to_the_width(text, width):
    lines = fold(text, width)
    assert squeezed("".join(lines)) == squeezed(text)
    assert all(cell_len(line) <= width for line in lines)


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=5), st.integers(0, 120))
def test_a_table_keeps_to_the_width(rows, width):
    least = 3 * LEAST + 2 * GAP
    assert all(cell_len(line) <= max(width, least) for line in Table(HEADLESS, rows).lines(width))


def test_columns_are_as_wide_as_east_asian_text_is_drawn():
    columns = Column(fit="whole"), Column(fit="whole"), Column(fit="cut")
    assert Table(columns, [["번역", "x", "a b"], ["exp7", "日本語", "c"]]).lines(80) == [
        "번역  x       a b",
        "exp7  日本語  c",
    ]
    assert Table(("", ""), [["漢字漢字漢字漢字", "1"]]).lines(11) == ["漢字漢字  1", "漢字漢字"]


@pytest.mark.parametrize("width", [1, 5, 8, 9, 40])
def test_the_last_column_is_cut_where_space_ends(width):
    table = Table((Column(fit="whole"), Column(fit="cut")), [["ab", "漢字漢字漢字"]])
    assert max(cell_len(line) for line in table.lines(width)) <= max(width, 5)
    assert cell_len(fit("漢字漢字", width)) <= width


def test_whole_columns_are_cut_once_the_others_cannot_shrink():
    table = Table((Column("name", "whole"), "text"), [["a-very-long-name", "and a text"]])
    assert table.lines(20) == ["name          text", "a-very-long…  and a", "              text"]


def test_numbers_stand_to_the_right_under_their_heading():
    table = Table(("run", Column("BLEU", right=True)), [["exp5", "9.10"], ["exp10", "100.00"]], "scores")
    assert table.lines(80) == ["scores", "run      BLEU", "exp5     9.10", "exp10  100.00"]


def test_markdown_escapes_cells_and_is_empty_without_rows():
    assert Table(("a", Column("b")), [["x|y", "<b>\nz"]]).markdown() == (
        "| a | b |\n| --- | --- |\n| x\\|y | &lt;b> z |"
    )
    assert Table(("a",), []).markdown() == ""


def test_a_terminal_gets_the_same_lines_with_styles():
    table = Table(
        ("verdict", "about"), [[styled("PASS", "green"), "[bold]markup[/bold] 日本語 is text"]], "t"
    )
    out = io.StringIO()
    Console(file=out, width=24, force_terminal=True, color_system="standard").print(table)
    assert "\x1b[32mPASS" in out.getvalue()
    plain = re.sub(r"\x1b\[[\d;]*m", "", out.getvalue())
    assert [line.rstrip() for line in plain.splitlines()] == table.lines(24)


@given(st.text())
def test_visible_keeps_the_length_and_leaves_nothing_for_a_terminal_to_obey(text):
    shown = visible(text)
    assert len(shown) == len(text)
    hidden = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert not {unicodedata.category(char) for char in shown if char not in "\u200c\u200d"} & hidden


@pytest.mark.parametrize("text", ["私の願いは...", "진실 서약", "♪♪♪", "a b", "全角\u3000空白", ""])
def test_visible_leaves_printable_text_alone(text):
    assert visible(text) == text
