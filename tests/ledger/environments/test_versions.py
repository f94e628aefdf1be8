import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.environments.versions import Distance, distance

VERSIONS = st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)).map(
    lambda v: "{}.{}.{}".format(*v)
)


@pytest.mark.parametrize(
    ("pinned", "installed", "expected"),
    [
        ("4.57.6", "4.57.6", None),
        ("1.0", "1.0.0", None),
        ("4.57.6", "5.0.0", Distance.MAJOR),
        ("1!1.0", "1.0", Distance.MAJOR),
        ("4.57.6", "4.58.0", Distance.MINOR),
        ("4.57.6", "4.57.5", Distance.PATCH),
        ("1.2.3", "1.2.3.1", Distance.PATCH),
        ("1.2", "1.2.1", Distance.PATCH),
        ("5.0.0", "5.0.0rc1", Distance.RELEASE),
        ("5.0.0", "5.0.0.post1", Distance.RELEASE),
        ("2.13.0+cpu", "2.13.0+cpu", None),
        ("2.13.0+cpu", "2.13.0+cu130", Distance.BUILD),
        ("2.13.0", "2.13.0+cpu", Distance.BUILD),
        ("2.13.0+cpu", "2.12.0+cpu", Distance.MINOR),
        ("2004d", "2004d", None),
        ("1.0", "not-a-version", Distance.MAJOR),
    ],
)
def test_distance(pinned, installed, expected):
    assert distance(pinned, installed) == expected


@given(VERSIONS, VERSIONS)
def test_distance_is_the_same_both_ways_and_none_only_for_equals(one, other):
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) is None) is (one == other)
