import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.worker.models.resolved_config import plain
from runners.worker.models.translator import on_one_line

ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.integers() | st.text(), inner) | st.tuples(inner),
)


@given(ODD)
def test_whatever_a_config_holds_becomes_strict_json(value: object) -> None:
    assert json.loads(json.dumps(plain(value), allow_nan=False)) == plain(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (10**30, str(10**30)),
        (float("inf"), "inf"),
        ({2: "b", "1": "a"}, {"1": "a", "2": "b"}),
        ({"x", "y"}, ["x", "y"]),
        ((1, True), [1, True]),
    ],
)
def test_what_json_has_no_word_for(value: object, expected: object) -> None:
    assert plain(value) == expected


@given(st.text())
def test_a_text_on_one_line_has_no_line_break_and_loses_nothing_else(text: str) -> None:
    line = on_one_line(text)
    assert len(line.splitlines()) <= 1
    assert line.split() == text.split()
