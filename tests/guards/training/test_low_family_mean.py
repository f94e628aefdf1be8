import pytest

from guards.training import low_family_mean
from ledger.evidence.metrics import FamilyLimits, MetricFamily
from ledger.findings import Severity, Skip


def look(values, least=None):
    family = MetricFamily("run", "correlation", values, dict.fromkeys(values, 96), "pearson")
    return list(low_family_mean.inspect(FamilyLimits(min_mean=least), family))


def test_a_mean_below_the_limit_is_an_error():
    (finding,) = look({"M1": 0.1, "H4": 0.3}, 0.5)
    assert finding.severity is Severity.ERROR
    assert finding.message == "the mean correlation is 0.2000, below the limit of 0.5, over 2 members"
    assert finding.measured == pytest.approx(0.2)


@pytest.mark.parametrize("values", [{"M1": 0.5, "H4": 0.5}, {"M1": 0.1, "H4": 0.9}])
def test_the_mean_alone_decides(values):
    assert look(values, 0.5) == []


def test_forecasts_that_are_all_the_same_have_no_correlation():
    (finding,) = look({"M1": float("nan"), "M5": 0.9, "H4": float("nan")}, -1.0)
    assert finding.message.startswith("the correlation of M1, H4 is undefined")


def test_without_a_limit_nothing_is_judged():
    (skip,) = look({"M1": -0.9})
    assert isinstance(skip, Skip)
