from dataclasses import replace

import pytest

from guards.checkpoint.behaviour import score_collapse as guard
from ledger.evidence.metrics import Metric
from ledger.findings import Severity, Skip

SIGNATURE = "nrefs:1|case:mixed|eff:no|tok:ko-mecab|smooth:exp|version:2.6.0"


def scored(good, bleu, lines=32, signature=SIGNATURE):
    sample = replace(
        good.sample,
        output=good.sample.output[:lines],
        bleu=None if bleu is None else Metric(bleu, signature),
    )
    return replace(good, sample=sample)


@pytest.mark.parametrize(
    ("memory", "reloaded", "severity"),
    [
        (61.0, 61.0, None),
        (61.0, 0.01, Severity.ERROR),
        (100.0, 1.31, Severity.ERROR),
        # bfloat16 in training, float32 reloaded, half-trained; and a cast file.
        (39.4, 46.1, None),
        (98.2, 97.8, None),
        # Few lines claim collapse and nothing finer.
        (22.0, 12.0, None),
        (22.0, 1.0, Severity.ERROR),
        # Nothing learned yet, nothing to lose.
        (0.22, 0.0, None),
        (4.9, 0.0, None),
        (0.0, 0.0, None),
    ],
)
def test_collapse_against_memory(good, memory, reloaded, severity):
    found = [one.severity for one in guard.inspect(scored(good, memory), scored(good, reloaded))]
    assert found == ([severity] if severity is not None else [])


def test_the_message_has_both_numbers_and_the_lines(good):
    (finding,) = guard.inspect(scored(good, 61.0), scored(good, 0.01))
    assert finding.message == "BLEU 0.01 of 100 reloaded, 61.00 in memory, over 32 lines"
    assert finding.threshold == pytest.approx(61.0 / 3)


def test_a_training_that_broke_is_held_against_the_last_good_save(good):
    expected = replace(scored(good, 0.5), last_good=Metric(33.03, SIGNATURE))
    (finding,) = guard.inspect(expected, scored(good, 0.5))
    assert finding.message.startswith("BLEU 0.50 of 100 reloaded, 33.03 at the last good checkpoint")


def test_a_foreign_checkpoint_is_held_against_the_last_good_save(good):
    expected = replace(good, sample=None, last_good=Metric(33.03, SIGNATURE))
    (finding,) = guard.inspect(expected, scored(good, 0.5))
    assert finding.severity is Severity.ERROR


def test_few_lines_are_a_warning(good):
    (finding,) = guard.inspect(scored(good, 61.0), scored(good, 0.01, lines=8))
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("expected", "actual", "required"),
    [
        (None, 61.0, False),  # nothing to compare with
        (61.0, None, True),  # it was scored once, so it can be again
    ],
)
def test_a_score_that_is_not_there_is_a_skip(good, expected, actual, required):
    (skip,) = guard.inspect(scored(good, expected), scored(good, actual))
    assert isinstance(skip, Skip)
    assert skip.required is required


@pytest.mark.parametrize("kept", [True, False])
def test_stored_lines_that_were_not_translated_again_are_not_a_pass(good, kept):
    expected = replace(good, sample=good.sample if kept else None, last_good=Metric(33.03, SIGNATURE))
    (skip,) = guard.inspect(expected, replace(good, sample=None, unseen={"sample": "no lines"}))
    assert (skip.reason, skip.required) == ("no lines", kept)


def test_scores_of_another_signature_are_not_compared(good):
    (skip,) = guard.inspect(
        scored(good, 61.0), scored(good, 0.01, signature=SIGNATURE.replace("ko-mecab", "13a"))
    )
    assert "has another signature" in skip.reason


def test_another_version_of_sacrebleu_is_compared(good):
    other = SIGNATURE.replace("2.6.0", "2.5.1")
    assert [one.severity for one in guard.inspect(scored(good, 61.0), scored(good, 0.01, signature=other))]


def test_a_score_on_0_to_1_is_brought_to_100(good):
    expected = replace(good, sample=replace(good.sample, bleu=Metric(0.61, SIGNATURE, (0.0, 1.0))))
    (finding,) = guard.inspect(expected, scored(good, 0.6))
    assert finding.evidence["before"] == pytest.approx(61.0)
