"""Counts, lists and cut text in messages."""

import pytest

from ledger.utils.plural import and_more, count
from ledger.utils.text import shorten


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 lines"), (1, "1 line"), (2, "2 lines"), (1204, "1,204 lines")]
)
def test_a_noun_agrees_with_its_number(number: int, text: str) -> None:
    assert count(number, "line") == text


def test_an_irregular_plural_is_named() -> None:
    assert [count(number, "entry", "entries") for number in (1, 3)] == ["1 entry", "3 entries"]


@pytest.mark.parametrize(
    ("items", "text"),
    [([], ""), (["a"], "a"), (["a", "b"], "a, b"), (["a", "b", "c"], "a, b and 1 more")],
)
def test_a_list_ends_with_the_number_of_the_others(items: list[str], text: str) -> None:
    assert and_more(items, 2) == text


def test_another_separator_stays_before_the_number() -> None:
    assert and_more(["a", "b", "c"], 1, "; ") == "a; and 2 more"


def test_cut_text_ends_with_an_ellipsis_and_keeps_the_limit() -> None:
    assert [shorten(text, 4) for text in ("", "four", "fives")] == ["", "four", "fiv…"]
