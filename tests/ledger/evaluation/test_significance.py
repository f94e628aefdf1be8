"""Paired bootstrap tests, held against sacrebleu's own."""

import random
from collections.abc import Sequence

import pytest
from sacrebleu.significance import PairedTest as SacrebleuTest

from ledger.errors import LedgerError
from ledger.evaluation import significance
from ledger.evaluation.line_statistics import LineStatistics
from ledger.evaluation.sacrebleu_metrics import load_metrics
from ledger.evaluation.significance import intervals, paired_test_of_means, paired_tests
from runners.rehearsal import rehearsal_text

_, REFERENCE = rehearsal_text("ko", "ja")


def _damaged(share: float, seed: int) -> list[str]:
    rng = random.Random(seed)
    return [line if rng.random() > share else line[: len(line) // 2] for line in REFERENCE]


def _intervals(output: Sequence[str], reference: Sequence[str]) -> tuple[tuple[float, float], ...]:
    return intervals(LineStatistics.extract(output, (reference,), "ja"))


@pytest.mark.parametrize("at_once", [significance.SLICE, 100])
def test_scores_and_p_values_are_sacrebleus(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(significance, "SLICE", at_once)
    baseline, candidate = _damaged(0.3, 1), _damaged(0.4, 2)
    bleu, chrf = load_metrics("ja")
    systems = [("baseline", baseline), ("candidate", candidate)]
    _, theirs = SacrebleuTest(systems, {"BLEU": bleu, "chrF": chrf}, [list(REFERENCE)], test_type="bs")()
    ours = paired_tests(baseline, candidate, REFERENCE, "ja")
    assert [test.name for test in ours] == ["BLEU", "chrF2++"]
    for test in ours:
        expected = theirs[test.name]
        assert test.baseline.value == pytest.approx(expected[0].score)
        assert test.candidate.value == pytest.approx(expected[1].score)
        assert test.p_value == expected[1].p_value


def test_a_file_against_itself_has_no_difference() -> None:
    same = _damaged(0.3, 1)
    for test in paired_tests(same, same, REFERENCE, "ja"):
        assert (test.difference, test.interval, test.detectable) == (0.0, (0.0, 0.0), 0.0)
        assert not test.significant


def test_a_large_difference_is_significant_and_its_interval_leaves_out_zero() -> None:
    bleu, _ = paired_tests(_damaged(0.9, 1), REFERENCE, REFERENCE, "ja")
    assert bleu.significant
    assert bleu.interval[0] > 0
    assert bleu.difference > bleu.detectable


def test_fewer_lines_hide_larger_differences() -> None:
    baseline, candidate = _damaged(0.3, 1), _damaged(0.4, 2)
    few = paired_tests(baseline[:16], candidate[:16], REFERENCE[:16], "ja")[0]
    all_lines = paired_tests(baseline, candidate, REFERENCE, "ja")[0]
    assert few.detectable > all_lines.detectable


@pytest.mark.parametrize("candidate", [[], ["a"], list("abc")])
def test_texts_that_do_not_belong_together_are_refused(candidate: list[str]) -> None:
    with pytest.raises(LedgerError, match="lines"):
        paired_tests(["a", "b"], candidate, ["a", "b"], "ja")


def test_an_interval_holds_the_score_and_narrows_with_more_lines() -> None:
    damaged = _damaged(0.4, 3)
    scores = [test.candidate.value for test in paired_tests(REFERENCE, damaged, REFERENCE, "ja")]
    few = _intervals(damaged, REFERENCE)
    many = _intervals(damaged * 9, list(REFERENCE) * 9)
    for score, (low, high), (lower, higher) in zip(scores, few, many, strict=True):
        assert low < score < high
        assert higher - lower < (high - low) / 2


def test_two_outputs_far_apart_have_intervals_that_do_not_overlap() -> None:
    better, worse = (_intervals(_damaged(share, 4), REFERENCE) for share in (0.1, 0.9))
    assert all(low > high for (low, _), (_, high) in zip(better, worse, strict=True))


def test_a_score_that_is_a_mean_of_its_lines_is_tested_alike():
    """One point more on each line is certain; noise around the same mean is not."""
    noise = [((n * 7919) % 101) / 10 for n in range(400)]
    better = paired_test_of_means("COMET", noise, [value + 1 for value in noise], "COMET|…")
    assert (better.difference, better.significant) == (pytest.approx(1), True)
    assert better.interval == (pytest.approx(1), pytest.approx(1))
    other = paired_test_of_means("COMET", noise, noise[::-1], "COMET|…")
    assert not other.significant
    assert other.interval[0] < 0 < other.interval[1]
    assert paired_test_of_means("COMET", noise, noise, "COMET|…").p_value == 1.0
