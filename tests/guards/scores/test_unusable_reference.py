import pytest

from guards.scores import unusable_reference
from ledger.evaluation.given_texts import given_texts
from ledger.evidence.scores import GivenTexts, ScoreLimits


def found(**counts):
    report = unusable_reference.inspect(ScoreLimits(), GivenTexts(**{"lines": 100, **counts}))
    return [(one.severity.label, one.message) for one in report]


@pytest.mark.parametrize(
    ("counts", "severity", "says"),
    [
        ({"blank_reference": 100}, "error", "100 of 100 lines are blank in the reference"),
        ({"blank_reference": 10}, "warning", "10 of 100 lines are blank in the reference"),
        ({"blank_reference": 1, "lines": 1}, "error", "1 of 1 line are blank in the reference"),
        ({"reference_is_source": 96}, "error", "96 of 100 lines are the same in reference and source"),
        ({"reference_is_source": 60}, "warning", "60 of 100 lines are the same in reference and source"),
        ({"output_is_source": 100}, "error", "not translated"),
        ({"output_is_reference": 100}, "warning", "the same in output and reference"),
        ({"tabs": (100, 0)}, "warning", "a tab"),
        ({"tokenized": (90, 5)}, "warning", "is it tokenized?"),
    ],
)
def test_what_no_score_can_be_taken_from_is_named(counts, severity, says):
    [(level, message)] = found(**counts)
    assert (level, says in message) == (severity, True)


@pytest.mark.parametrize(
    "counts",
    [
        {},
        {"blank_reference": 4},
        {"reference_is_source": 30, "output_is_source": 30, "output_is_reference": 60},
        {"lines": 4, "reference_is_source": 4, "output_is_source": 4, "output_is_reference": 4},
        {"tabs": (100, 90), "tokenized": (100, 90)},
    ],
)
def test_what_happens_in_good_files_is_not(counts):
    assert found(**counts) == []


def test_lines_are_counted_that_are_equal_and_not_blank():
    output, source = ["a .", " b", "", "d"], ["a .", "b", "", "x"]
    references = [["a", "b", "", "\td"], ["", "", "", ""]]
    assert given_texts(output, source, references) == GivenTexts(
        lines=4,
        blank_reference=1,
        reference_is_source=1,
        output_is_source=2,
        output_is_reference=2,
        tabs=(1, 0),
        tokenized=(0, 1),
    )
    assert given_texts(["a"], None, []) == GivenTexts(lines=1)
