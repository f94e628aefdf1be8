"""Correlations that differ by more than chance: held against a simulation of chance itself."""

import math

import numpy as np
import pytest

from ledger.evidence.metrics import MetricFamily, apart


def test_chance_alone_is_called_a_difference_in_about_5_of_100_cases():
    rng = np.random.default_rng(0)
    count, reported = 200, 0
    for _ in range(2000):
        one, other = (np.corrcoef(rng.standard_normal((2, count)))[0, 1] for _ in range(2))
        reported += apart(float(one), count, float(other), count)
    assert 0.035 < reported / 2000 < 0.065


@pytest.mark.parametrize(
    ("one", "count", "other", "other_count", "expected"),
    [
        (0.035, 100_000, 0.0, 100_000, True),
        (0.035, 1_000, 0.0, 1_000, False),
        (0.035, 100_000, 0.0, 1_000, False),  # the smaller sample limits it
        (0.9, 50, 0.2, 50, True),
        (0.9, 3, -0.9, 50, False),  # of three values nothing can be said
        (1.0, 50, 0.0, 50, False),  # nor where z is infinite
    ],
)
def test_more_windows_show_smaller_differences(one, count, other, other_count, expected):
    assert apart(one, count, other, other_count) is expected
    assert apart(other, other_count, one, count) is expected


def test_the_mean_is_over_what_has_a_value():
    values = {"M1": 0.2, "M5": math.nan, "H4": 0.4}
    assert MetricFamily("r", "correlation", values, {}, "").mean == pytest.approx(0.3)
    assert math.isnan(MetricFamily("r", "correlation", {"M1": math.nan}, {}, "").mean)
