"""Which checkpoints are kept: the rule alone, on made-up checkpoints."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.checkpoints.retention import SavedCheckpoint, decide


def saved(step, state="verified", score=None, bound=""):
    return SavedCheckpoint(Path(f"checkpoint-{step}"), step, state, 10, score, bound)


CHECKPOINTS = st.lists(
    st.builds(
        saved,
        st.integers(0, 99),
        st.sampled_from(["verified", "failed", "unverified"]),
        st.none() | st.floats(0, 100),
        st.sampled_from(["", "", "named by a note"]),
    ),
    max_size=12,
    unique_by=lambda one: one.step,
)


def kept(found, **options):
    return [one.checkpoint.step for one in decide(found, **{"last": 1, "best": 1, **options}) if one.keep]


@pytest.mark.parametrize(
    ("found", "options", "expected"),
    [
        ([saved(1), saved(2), saved(3)], {}, [3]),
        ([saved(1), saved(2), saved(3)], {"last": 2}, [2, 3]),
        ([saved(1), saved(2), saved(3, "failed")], {}, [2]),
        ([saved(1), saved(2), saved(3, "unverified")], {}, [2]),
        ([saved(1, score=9.0), saved(2, score=3.0), saved(3, score=2.0)], {}, [1, 3]),
        ([saved(1, score=9.0), saved(2, score=9.0), saved(3, score=2.0)], {}, [2, 3]),
        ([saved(1, "failed", score=9.0), saved(2, score=3.0)], {}, [2]),
        ([saved(1, "failed"), saved(2, "unverified"), saved(3, "unverified")], {}, [3]),
        ([saved(1, "unverified"), saved(2, "failed")], {}, [1]),
        ([saved(1, "failed")], {}, []),
        ([saved(1, "failed", bound="accepted"), saved(2)], {}, [1, 2]),
        ([saved(1), saved(2)], {"last": 0, "best": 0}, []),
    ],
)
def test_newest_best_and_bound_checkpoints_stay(found, options, expected):
    assert kept(found, **options) == expected
    assert kept(found[::-1], **options) == expected


@given(CHECKPOINTS, st.integers(0, 3), st.integers(0, 3))
def test_what_is_bound_stays_and_failed_ones_go(found, last, best):
    decisions = decide(found, last=last, best=best)
    assert sorted(one.checkpoint.step for one in decisions) == sorted(one.step for one in found)
    for one in decisions:
        assert one.reason
        assert one.keep or not one.checkpoint.bound
        assert not (one.keep and one.checkpoint.state == "failed") or one.checkpoint.bound


@given(CHECKPOINTS, st.integers(1, 3), st.integers(0, 3))
def test_something_usable_always_stays(found, last, best):
    usable = [one for one in found if one.state != "failed"]
    assert not usable or kept(found, last=last, best=best)
