import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from ledger.utils.proportion import wilson_interval


@given(st.integers(0, 500), st.integers(1, 500), st.sampled_from([0.8, 0.95, 0.99]))
def test_the_interval_is_that_of_scipy(count, more, confidence):
    total = count + more
    expected = binomtest(count, total).proportion_ci(confidence, method="wilson")
    assert wilson_interval(count, total, confidence) == pytest.approx(
        (expected.low, expected.high), abs=1e-12
    )
    expected = binomtest(total, total).proportion_ci(confidence, method="wilson")
    assert wilson_interval(total, total, confidence) == pytest.approx(
        (expected.low, expected.high), abs=1e-12
    )
