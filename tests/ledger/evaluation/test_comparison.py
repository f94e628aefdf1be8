"""What is concluded from a comparison."""

from dataclasses import replace

import pytest

from ledger.evaluation.comparison import Comparison, Side, conclusions, line_changes
from ledger.evidence import Unobserved
from ledger.evidence.metrics import Metric, PairedTest


def side(name: str, rates: dict[str, float] | None = None, caution: str = "") -> Side:
    return Side(name=name, experiment=None, rates=rates or {}, metrics={}, caution=caution)


def paired(name: str, difference: float, p_value: float) -> PairedTest:
    return PairedTest(
        name=name,
        baseline=Metric(30.0, "BLEU|…"),
        candidate=Metric(30.0 + difference, "BLEU|…"),
        difference=difference,
        interval=(difference - 1, difference + 1),
        p_value=p_value,
        detectable=1.4,
        signature="…",
    )


def said(tests=(), identical=10, old=None, new=None, normalized=()) -> str:
    found = Comparison(
        baseline=old or side("exp5"),
        candidate=new or side("exp9"),
        lines=1000,
        identical=identical,
        tests=tests,
        normalized=normalized,
    )
    return "\n".join(conclusions(found))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"identical": 1000}, "All 1,000 lines of the outputs are identical"),
        ({"tests": (paired("BLEU", 3.0, 0.001),)}, "exp9 is better than exp5 by 3.00 BLEU"),
        ({"tests": (paired("BLEU", -3.0, 0.001),)}, "exp5 is better than exp9 by 3.00 BLEU"),
        ({"tests": (paired("BLEU", 0.5, 0.4),)}, "No difference in BLEU can be claimed"),
        ({"tests": (paired("BLEU", 0.5, 0.4),)}, "the test would probably miss one below 1.40"),
        (
            {"tests": (paired("BLEU", 3.0, 0.001), paired("chrF2++", -2.0, 0.001))},
            "contradict each other",
        ),
        (
            {"tests": Unobserved("no reference is named")},
            "Which one is better cannot be tested: no reference is named",
        ),
        (
            {"old": side("exp5", {"TXT001": 0.0}), "new": side("exp9", {"TXT001": 0.1})},
            "more lines flagged by",
        ),
        ({"old": side("exp5", {"TXT001": 0.2}), "new": side("exp9", {"TXT001": 0.1})}, "fewer lines flagged"),
        (
            {
                "tests": Unobserved("exp5 recorded no output text"),
                "old": replace(side("exp5"), metrics={"bleu": Metric(30.0, "BLEU|tok:13a")}),
                "new": replace(side("exp9"), metrics={"bleu": Metric(40.0, "BLEU|tok:char")}),
            },
            "The two sides computed bleu in different ways: do not compare them.",
        ),
        ({"new": side("exp9", caution="exp9 is a rehearsal.")}, "exp9 is a rehearsal."),
    ],
)
def test_what_may_be_said(given, expected):
    assert expected in said(**given)


def test_what_no_test_shows_is_not_called_better():
    assert "is better" not in said(tests=(paired("BLEU", 0.5, 0.4), paired("chrF2++", -0.5, 0.4)))


def test_lines_are_ordered_by_what_they_lost_and_equal_ones_left_out():
    reference = ["設定を保存しました。", "ファイルを開けません。", "新しいウィンドウ。"]
    baseline = [reference[0], "ファイル", reference[2]]
    candidate = ["設定", reference[1], reference[2]]
    lost, gained = line_changes(baseline, candidate, reference, ["가", "나", "다"])
    assert (lost.number, gained.number) == (1, 2)
    assert lost.gain < 0 < gained.gain
    assert (lost.source, lost.baseline, lost.candidate, lost.reference) == (
        "가",
        reference[0],
        "設定",
        reference[0],
    )


@pytest.mark.parametrize(
    ("normalized", "claimed"),
    [
        ((3.0, 0.001), True),
        ((1.0, 0.04), True),
        ((0.2, 0.6), False),
        ((0.0, 1.0), False),
        ((-3.0, 0.001), False),
    ],
)
def test_a_difference_that_normalizing_removes_makes_nothing_better(normalized, claimed):
    text = said((paired("BLEU", 3.0, 0.001),), normalized=(paired("BLEU", *normalized),))
    assert ("exp9 is better than exp5" in text) is claimed
    assert ("this does not make it better" in text) is not claimed
