import pytest

from guards.scores import low_comet
from ledger.evidence.metrics import Metric
from ledger.evidence.scores import Comet, ScoreLimits
from ledger.findings import Skip

SCORE = Comet(Metric(84.25, "COMET|model:Unbabel/wmt22-comet-da|…"), 1000)


@pytest.mark.parametrize(("limit", "messages"), [(84.25, []), (80, []), (84.3, ["COMET 84.25 is below"])])
def test_the_limit_decides(limit, messages):
    found = [one.message for one in low_comet.inspect(ScoreLimits(min_comet=limit), SCORE)]
    assert [one[:20] for one in found] == messages


def test_without_a_limit_it_is_skipped():
    assert [type(one) for one in low_comet.inspect(ScoreLimits(), SCORE)] == [Skip]
