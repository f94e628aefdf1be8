"""What people said, read from entries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.journal.annotations import Rating, decisions, notes
from ledger.journal.store import Entry, seal


def skipped(experiment: str, why: str) -> Entry:
    return seal("skip", {"experiment": experiment, "why": why, "who": "minji"}, [])


def started(experiment: str) -> Entry:
    return seal("run.started", {"run": f"{experiment}-000001", "experiment": experiment, "mode": "real"}, [])


def ordered(*entries: Entry) -> list[Entry]:
    """The entries, each a second after the one before it."""
    for second, entry in enumerate(entries):
        entry.time = f"2026-11-22T06:00:{second:02d}.000Z"
    return list(entries)


@pytest.mark.parametrize(
    ("entries", "standing"),
    [
        ([skipped("exp2", "slow")], [("exp2", "slow")]),
        ([skipped("exp2", "slow"), skipped("exp2", "and dear")], [("exp2", "and dear")]),
        ([skipped("exp2", "slow"), started("exp2")], []),
        ([started("exp2"), skipped("exp2", "never again")], [("exp2", "never again")]),
        ([skipped("exp2", "slow"), started("exp3")], [("exp2", "slow")]),
    ],
)
def test_a_decision_stands_until_the_experiment_is_run(entries, standing):
    assert [(one.experiment, one.why) for one in decisions(ordered(*entries))] == standing


def test_a_run_has_its_own_notes_and_its_experiments():
    entries = [
        seal("note", {"run": run, "experiment": experiment, "text": text, "who": "minji"}, [])
        for run, experiment, text in (
            ("exp7-000001", "exp7", "a"),
            ("exp7-000002", "exp7", "b"),
            (None, "exp7", "c"),
            (None, "exp8", "d"),
        )
    ]
    assert [one.text for one in notes(entries, "exp7", "exp7-000001")] == ["a", "c"]
    assert [one.text for one in notes(entries, "exp7")] == ["a", "b", "c"]


def rated(right: int, partly: int, wrong: int, of: int = 1000) -> Rating:
    return Rating("exp1-1", "exp1", "minji", "", of, {"right": right, "partly": partly, "wrong": wrong})


def test_shares_carry_wilsons_interval():
    share = rated(18, 22, 10).shares["right"]
    # Wilson's interval for 18 of 50, by the formula of 1927 and z = 1.96.
    assert share.share == 0.36
    assert share.interval == pytest.approx((0.2414, 0.4986), abs=1e-4)


def test_where_all_lines_were_judged_the_share_is_exact():
    assert rated(1, 1, 2, of=4).shares["wrong"].interval == (0.5, 0.5)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_shares_are_rates_inside_their_intervals(right, partly, wrong):
    shares = rated(right, partly, wrong).shares.values()
    assert sum(one.share for one in shares) == pytest.approx(1 if right + partly + wrong else 0)
    assert all(
        0 <= one.interval[0] <= one.share + 1e-9 <= one.interval[1] + 2e-9 <= 1 + 3e-9 for one in shares
    )
