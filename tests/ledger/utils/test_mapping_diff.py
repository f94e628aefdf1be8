import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.utils.mapping_diff import Difference, differences, listed

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.text(max_size=3)
    | st.lists(st.integers(0, 2), max_size=2)
)
TREES = st.recursive(
    LEAVES, lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=8
)
SPECS = st.dictionaries(st.sampled_from("abcd"), TREES, max_size=4)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {}, []),
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": 1}, {"a": True}, [("a", 1, True)]),
        ({"a": None}, {}, []),
        ({"a": {"b": None}}, {}, []),
        ({"a": {"b": 2}}, {}, [("a.b", 2, None)]),
        ({"a": {"b": 3, "c": 1}}, {"a": {"b": 5, "c": 1}}, [("a.b", 3, 5)]),
        ({"a": {"b": 3}}, {"a": "b"}, [("a", {"b": 3}, "b")]),
        ({"a": [1, 2]}, {"a": [2, 1]}, [("a", [1, 2], [2, 1])]),
        ({"z": 1, "a": 1}, {"z": 2, "a": 2}, [("a", 1, 2), ("z", 1, 2)]),
    ],
)
def test_differences(before, after, expected):
    assert [(d.path, d.before, d.after) for d in differences(before, after)] == expected


@given(SPECS)
def test_nothing_differs_from_itself(spec):
    assert list(differences(spec, spec)) == []


@given(SPECS, SPECS)
def test_the_other_way_round_is_the_same_list_turned(one, other):
    there = [(d.path, d.before, d.after) for d in differences(one, other)]
    back = [(d.path, d.after, d.before) for d in differences(other, one)]
    assert there == back


def test_listed_names_a_few_and_counts_the_rest():
    many = [Difference(f"generation.p{n}", n, None) for n in range(5)]
    assert listed(many) == (
        "generation.p0 (0 -> unset), generation.p1 (1 -> unset), generation.p2 (2 -> unset) and 2 more"
    )
    assert listed(many[:1]) == "generation.p0 (0 -> unset)"


def test_long_values_are_cut():
    assert len(str(Difference("a", "x" * 500, "y" * 500))) < 100
