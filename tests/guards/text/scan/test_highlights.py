"""Which parts of a line are marked as what a text guard means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guards.text.measures.scripts import script_of
from guards.text.scan.highlights import marks

JAPANESE = script_of("ja")


@pytest.mark.parametrize(
    ("output", "source", "expected"),
    [
        ("設定を保存しました。", "설정을 저장했습니다.", []),
        ("I I I I I I", "나는", [("I I I I I I", "TXT001")]),
        ("これは Window です", "이것은 창입니다", [("Window", "TXT003")]),
        ("これは Window です", "이것은 Window입니다", []),
        ("これは Window です", None, []),
        ("はいはいはいはいはい", "네", [("はいはいはいはいはい", "TXT001")]),
        ("abc abc abc abc です", "네", [("abc abc abc abc", "TXT001")]),  # foreign as well: marked once
        (". . . . . . . .", "네", []),
        ("", "네", []),
    ],
)
def test_marks(output, source, expected):
    assert [
        (output[mark.start : mark.end], mark.code) for mark in marks(output, source, JAPANESE)
    ] == expected


@given(
    st.text(alphabet="あいAb .・Window", max_size=60), st.none() | st.text(alphabet="가나Ab ", max_size=20)
)
def test_marks_are_in_order_and_apart(output, source):
    end = 0
    for mark in marks(output, source, JAPANESE):
        assert end <= mark.start < mark.end <= len(output)
        end = mark.end
