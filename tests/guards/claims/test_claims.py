"""Each guard on what contradicts itself, and on what only looks as if it did."""

from dataclasses import replace

import pytest

from guards.claims import (
    beyond_crash,
    counts,
    identical_outputs,
    means,
    off_scale,
    reused_number,
    same_size,
    two_outcomes,
    two_values,
    wrong_column,
)
from ledger.evidence.imported_claims import (
    ClaimedShare,
    Consistency,
    Mean,
    Naming,
    OtherData,
    Result,
    SameOutput,
    Statement,
    StepMention,
    WrittenLog,
)
from ledger.findings import Severity


def found(guard, **statements):
    log = WrittenLog(**{name: tuple(items) for name, items in statements.items()})
    return list(guard.inspect(Consistency(), log))


def stated(key, value, line=1, kind="setting", experiment="exp1", **more):
    return Statement(experiment=experiment, key=key, value=value, line=line, kind=kind, **more)


def rate(key, value, line=1, text="", **more):
    return stated(key, value, line, "rate", text=text, **more)


@pytest.mark.parametrize(
    ("a", "b", "contradict"),
    [
        (2.0, 1.5, True),
        (20, 20.0, False),
        (0.0003, 3e-4, False),
        (True, False, True),
        (None, 5, False),  # stated to be the default
        ("facebook/m2m100_1.2B", "M2M100-1.2B", False),
        ("cosine", "linear", True),
        ("data/splits/train.ko", "train.ko", False),
        ("ko", 5, True),
    ],
)
def test_one_key_with_two_values(a, b, contradict):
    findings = found(two_values, statements=[stated("k", a, 3), stated("k", b, 9)])
    assert bool(findings) is contradict
    if contradict:
        assert findings[0].severity is Severity.WARNING
        assert findings[0].evidence == {"experiments": ["exp1"], "lines": [3, 9]}


def test_other_experiments_scopes_and_notes_may_differ():
    say = stated("k", 1)
    apart = [replace(say, experiment="exp2", value=2), replace(say, scope="second try", value=3)]
    assert not found(two_values, statements=[say, *apart])
    assert not found(two_values, statements=[stated("time", "today"), stated("time", "2026-02-03")])


@pytest.mark.parametrize(
    ("a", "b", "contradict"),
    [
        ((0.119, "11.9%"), (0.12, "12%"), False),
        ((0.119, "11.9%"), (0.09, "90件（9%）"), True),
        ((0.119, "11.9%"), (0.118, "11.8%"), True),
        ((0.0, "0件"), (0.005, "0.5%"), True),
    ],
)
def test_rates_are_compared_to_the_digits_that_are_written(a, b, contradict):
    findings = found(two_values, statements=[rate("english", a[0], 1, a[1]), rate("english", b[0], 2, b[1])])
    assert bool(findings) is contradict


def test_identical_outputs_have_one_rate():
    statements = [
        rate("english", 0.09, 5, "9%", experiment="exp5"),
        rate("english", 0.119, 7, "11.9%", experiment="exp7"),
        rate("failed", 0.006, 8, "0.6%", experiment="exp5"),
        rate("failed", 0.006, 9, "0.6%", experiment="exp7"),
    ]
    both_ways = [SameOutput("exp7", "exp5", 10), SameOutput("exp5", "exp7", 11)]
    (finding,) = found(identical_outputs, statements=statements, identities=both_ways)
    assert finding.measured == {"english": [0.09, 0.119]}
    assert finding.evidence["experiments"] == ["exp7", "exp5"]
    assert not found(identical_outputs, statements=statements)
    assert not found(identical_outputs, statements=statements[2:], identities=both_ways)


@pytest.mark.parametrize(
    ("count", "total", "percent", "decimals", "agree"),
    [
        (119, 1000, 11.9, 1, True),
        (119, 1000, 11.8, 1, False),
        (35931, 71078, 50.6, 1, True),
        (35931, 71078, 50.5, 1, True),  # cut off instead of rounded
        (5, 6, 83, 0, True),
        (5, 6, 80, 0, False),
        (90, 1000, 9, 0, True),
        (1, 0, 5, 0, True),  # of nothing: nothing to say
    ],
)
def test_counts_and_percentages(count, total, percent, decimals, agree):
    findings = found(counts, shares=[ClaimedShare("exp1", "x", count, total, percent, decimals, 3)])
    assert bool(findings) is not agree


SIX = (0.002563, -0.007802, 0.021975, 0.035845, 0.033896, -0.002577)


@pytest.mark.parametrize(
    ("value", "decimals", "agree"), [(0.008066, 6, False), (0.013983, 6, True), (0.014, 3, True)]
)
def test_means(value, decimals, agree):
    findings = found(means, means=[Mean("v56", "mean", value, SIX, decimals, 34)])
    assert bool(findings) is not agree
    if not agree:
        assert findings[0].threshold == pytest.approx(0.01398, abs=1e-5)


def test_a_step_beyond_the_crash():
    crash = StepMention("exp10", "first", 784, True, "", 5)
    later = StepMention("exp10", "first", 6000, False, "checkpoint-6000", 9)
    (finding,) = found(beyond_crash, steps=[crash, later, replace(later, step=5000)])
    assert (finding.measured, finding.threshold) == (6000, 784)
    assert not found(beyond_crash, steps=[crash, replace(later, step=700), replace(later, scope="second")])
    assert not found(beyond_crash, steps=[later])


@pytest.mark.parametrize(
    ("scores", "odd"),
    [
        ([0.22, 33.03], [0.22]),
        ([0.01, 33.03], []),  # collapsed on either scale
        ([0.22, 0.31], []),  # a log on a scale of 0-1
        ([22.0, 33.03], []),
        ([1.0, 33.03], [1.0]),
        ([0.0, 33.03], []),
    ],
)
def test_scores_off_the_scale_of_the_others(scores, odd):
    statements = [stated("bleu", value, n, "score", experiment=f"exp{n}") for n, value in enumerate(scores)]
    assert [finding.measured for finding in found(off_scale, statements=statements)] == odd
    assert not found(off_scale, statements=[*statements[:1], stated("comet", 80.0, 9, "score")])


@pytest.mark.parametrize(
    ("outcomes", "contradict"),
    [
        (["not run", "completed"], True),
        (["succeeded", "failed"], True),
        (["running", "succeeded", "completed"], False),
        (["failed", "completed"], False),  # it ran, and its result was bad
        (["planned", "skipped"], False),
    ],
)
def test_two_outcomes(outcomes, contradict):
    reported = [Result("exp4", "", outcome, "", line) for line, outcome in enumerate(outcomes, 1)]
    assert bool(found(two_outcomes, results=reported)) is contradict
    assert not found(two_outcomes, results=[replace(r, scope=str(r.line)) for r in reported])


PLAN = Naming("exp4", "Marian", frozenset({"marian"}), frozenset(), True, 3)
DONE = Naming("exp4", "mBART", frozenset({"mbart"}), frozenset({"mbart-50"}), False, 9)


@pytest.mark.parametrize(
    ("a", "b", "contradict"),
    [
        (PLAN, DONE, True),
        (PLAN, replace(PLAN, words=frozenset({"marian", "big"}), planned=False), False),
        (PLAN, replace(DONE, experiment="exp5"), False),
        (replace(PLAN, planned=False), DONE, False),  # a section on the analysis, say
        (replace(PLAN, planned=False, models=frozenset({"opus-mt"})), DONE, True),
        (replace(PLAN, words=frozenset()), DONE, False),
    ],
)
def test_one_number_for_two_experiments(a, b, contradict):
    assert bool(found(reused_number, namings=[a, b])) is contradict


def test_a_value_in_the_wrong_column():
    own, duplicate = rate("failed", 0.012, 2, "1.2%"), rate("english", 0.747, 3, "74.7%")
    cell = rate("failed", 0.747, 9, "74.7%", column="FAILED")
    (finding,) = found(wrong_column, statements=[own, duplicate, cell])
    assert finding.evidence["lines"] == [2, 3, 9]
    assert not found(two_values, statements=[own, duplicate, cell]), (
        "reported once, by the rule that knows why"
    )
    assert not found(wrong_column, statements=[own, cell])
    assert not found(wrong_column, statements=[duplicate, cell])
    assert found(two_values, statements=[own, cell])


SIZES = [
    stated("train_size", 546_881, 1, "size", "exp10"),
    stated("throughput", 1812.585, 2, "throughput", "exp10", scope="good run"),
    stated("seconds", 3017.0, 3, "seconds", "exp10", scope="good run"),
    stated("epochs", 10, 4, "epochs", "exp10", scope="new run"),
]


def test_the_same_size_of_data_that_are_called_different():
    claim = OtherData("exp10", None, 9)
    (finding,) = found(same_size, statements=SIZES, other_data=[claim])
    assert finding.measured == pytest.approx(546_857, abs=1)
    assert not found(same_size, statements=SIZES)
    other = [replace(SIZES[0], value=612_400), *SIZES[1:]]
    assert not found(same_size, statements=other, other_data=[claim])
    assert not found(same_size, statements=SIZES[:3], other_data=[claim]), "no epochs, no size"


@pytest.mark.parametrize(("batches", "contradict"), [((64, 64), True), ((64, 128), False)])
def test_equal_steps_count_at_equal_batch_sizes(batches, contradict):
    statements = [
        stated("batch_size", size, n, experiment=f"exp{n}") for n, size in enumerate(batches, 1)
    ] + [stated("total_steps", 21_370, 5 + n, "steps", f"exp{n}") for n in (1, 2)]
    findings = found(same_size, statements=statements, other_data=[OtherData("exp2", "exp1", 9)])
    assert bool(findings) is contradict
