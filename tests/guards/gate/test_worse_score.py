"""GAT003: a fall beyond chance is an error, one within it a note, one that nobody can judge a skip."""

import pytest

from guards.gate import worse_score
from guards.guard import inspect
from ledger.evidence import Evidence
from ledger.evidence.gate import ScoreChange, ScoreChanges, Scored, ScoreLimit
from ledger.evidence.metrics import Metric, PairedTest


def scored(value, interval=None, signature="BLEU|tok:ja-mecab"):
    return Scored("exp5-abc123", Metric(value, signature), interval)


def change(before, after, p_value=None, unpaired="", half=None, lines=None):
    paired = None
    if p_value is not None:
        metrics = before.metric, after.metric
        difference = after.metric.value - before.metric.value
        paired = PairedTest(
            "BLEU",
            *metrics,
            difference,
            (difference - (half or 0), difference + (half or 0)),
            p_value,
            1.0,
            "bs:1000",
        )
    return ScoreChange("exp5", "bleu", before, after, paired, unpaired, lines)


GONE = "the output of exp5-abc123 is not available"


@pytest.mark.parametrize(
    ("one", "code", "message"),
    [
        (change(scored(20), scored(20)), "passed", ""),
        (change(scored(20), scored(22)), "passed", ""),
        (change(scored(20), scored(18), 0.001), "error", "p = 0.0010"),
        (change(scored(20), scored(19.9), 0.4), "info", "within chance"),
        (change(scored(20), scored(19.9), 0.05), "info", "within chance"),
        (change(scored(20), scored(18), unpaired=GONE), "skip", "no interval was recorded"),
        (change(scored(20, (19, 21)), scored(18), unpaired=GONE), "skip", GONE),
        (change(scored(20, (19, 21)), scored(18, (17, 18.9)), unpaired=GONE), "error", "do not overlap"),
        (change(scored(20, (19, 21)), scored(18.5, (17, 19.5)), unpaired=GONE), "info", "overlap"),
        # Few lines: a fall of a point cannot be excluded, whatever the difference seen.
        (change(scored(20), scored(19.9), 0.4, half=1.96, lines=500), "skip", "underpowered: 3,920 lines"),
        (change(scored(20), scored(20.5), 0.4, half=1.96, lines=500), "skip", "and there are 500"),
        (change(scored(20), scored(18), 0.001, half=1.96, lines=500), "error", "p = 0.0010"),
        (change(scored(20), scored(19.9), 0.4, half=0.5, lines=5000), "info", "within chance"),
        (change(scored(20), scored(22.5), 0.01, half=1.96, lines=500), "passed", ""),
        (
            change(scored(20, (18, 22)), scored(20, (18, 22)), unpaired=GONE, lines=100),
            "skip",
            "underpowered",
        ),
        (change(scored(20), scored(2, signature="BLEU|tok:13a"), 0.0), "skip", "computed differently"),
    ],
)
def test_a_score_compared_with_the_base(one, code, message):
    actual = Evidence(ScoreChanges((one,)))
    report = inspect([worse_score], Evidence(ScoreLimit()), actual)
    reported = [(f.severity.label, f.message) for f in report.findings]
    reported += [("skip", skip.reason) for skip in report.skips] + [("passed", "") for _ in report.passed]
    assert [kind for kind, _ in reported] == [code]
    assert message in reported[0][1]
