import re

from hypothesis import given
from hypothesis import strategies as st

from ledger.display.wrapped_table import GAP, LEAST, fold, folded

TEXT = st.text(alphabet="ab ._-(/)", max_size=60)


def squeezed(text):
    return re.sub(r"\s", "", text)


def test_a_long_name_breaks_where_it_has_joints():
    assert fold("Seq2SeqTrainingArguments.use_cache", 26) == ["Seq2SeqTrainingArguments.", "use_cache"]
    assert fold("only in B, imported", 12) == ["only in B,", "imported"]
    assert fold("abcdefgh", 3) == ["abc", "def", "gh"]


def test_the_widest_column_gives_way_and_the_others_stay_whole():
    rows = [["1", "a.much.longer.name.here", "5.0.0"], ["2", "b", "-"]]
    assert list(folded(rows, 22)) == [
        "1  a.much.       5.0.0",
        "   longer.name.",
        "   here",
        "2  b             -",
    ]


def test_what_a_terminal_would_obey_is_shown():
    assert list(folded([["a\x1b[2Jb\n", "c"]], 80)) == [
        "a\N{REPLACEMENT CHARACTER}[2Jb\N{REPLACEMENT CHARACTER}  c"
    ]


@given(TEXT, st.integers(1, 40))
def test_folding_loses_nothing_but_space_and_keeps_to_the_width(text, width):
    lines = fold(text, width)
    assert squeezed("".join(lines)) == squeezed(text)
    assert all(len(line) <= width for line in lines)


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=5), st.integers(0, 120))
def test_a_table_keeps_to_the_width(rows, width):
    least = 3 * LEAST + 2 * GAP
    assert all(len(line) <= max(width, least) for line in folded(rows, width))
