"""TXT016 and TXT017 read what our own generation reports."""

import pytest

from guards.text import GENERATED
from guards.text.limits import DEFAULT_MAX_RATE
from ledger.evidence.text import Flagged, LineSample, TextEvidence, TextLimits
from ledger.findings import Severity

LIMITS = TextLimits(DEFAULT_MAX_RATE)


@pytest.mark.parametrize("guard", GENERATED)
@pytest.mark.parametrize(
    ("count", "severities"), [(0, []), (1, [Severity.INFO]), (20, [Severity.INFO]), (21, [Severity.ERROR])]
)
def test_the_rate_decides(guard, count, severities):
    text = TextEvidence(1000, {guard.CODE: Flagged(count, (LineSample(4, "so far", "source"),))})
    assert [found.severity for found in guard.inspect(LIMITS, text)] == severities


def test_the_messages():
    text = TextEvidence(50, {guard.CODE: Flagged(2) for guard in GENERATED})
    assert [next(guard.inspect(LIMITS, text)).message for guard in GENERATED] == [
        "2 of 50 lines reached the length limit before their end: 4.00%, at most 2.00% allowed",
        "2 of 50 lines had their source cut to the longest input: 4.00%, at most 2.00% allowed",
    ]
