"""DUP004: a training is, loss by loss, one that is recorded under another name or other settings."""

from collections.abc import Iterator, Sequence

from guards.guard import Explanation
from ledger.evidence.identity import TrainingHistory, TrainingIdentity
from ledger.findings import Finding, Severity, Skip
from ledger.utils.mapping_diff import differences, listed
from ledger.utils.plural import count

CODE = "DUP004"
TITLE = "the training is the same as another one"
READS = (TrainingHistory, TrainingIdentity)
EXPLANATION = Explanation(
    means="The first logged losses equal those of an earlier run or import, to the last digit and at the "
    "same steps, while the name or the stated settings differ. At least 5 rows are compared; of a log that "
    "is rounded to 4 decimals they have to span 50 steps, since the very first steps of two trainings with "
    "one seed are alike.",
    matters="Two trainings with the same losses are one training: a setting that was meant to differ was "
    "never applied, or a result was copied. A comparison of the two compares nothing.",
    do="Check which settings reach the trainer. If one of the two is a copy, keep one. What is intended can "
    "be accepted on the record: ledger accept RUN DUP004 --why ...",
)
LEAST_ROWS = 5
LEAST_STEPS = 50
DECIMALS = 4  # of the Trainer's log


def inspect(expected: TrainingHistory, actual: TrainingIdentity) -> Iterator[Finding | Skip]:
    """Compare the first losses with those of every earlier training."""
    if len(actual.losses) < LEAST_ROWS:
        yield Skip(CODE, f"fewer than {LEAST_ROWS} losses were logged")
        return
    for other in expected.trainings:
        if other.run != actual.run and _differs(other, actual):
            rows = _equal_rows(other.losses, actual.losses)
            if rows >= LEAST_ROWS and _is_evidence(actual.losses[:rows]):
                yield _finding(other, actual, rows)


def _differs(other: TrainingIdentity, actual: TrainingIdentity) -> bool:
    return other.experiment != actual.experiment or bool(list(differences(other.settings, actual.settings)))


def _equal_rows(a: Sequence[tuple[int, float]], b: Sequence[tuple[int, float]]) -> int:
    """How many rows are equal, from the first on."""
    equal = 0
    for one, other in zip(a, b, strict=False):
        if one != other:
            break
        equal += 1
    return equal


def _is_evidence(losses: Sequence[tuple[int, float]]) -> bool:
    rounded = all(round(loss, DECIMALS) == loss for _, loss in losses)
    return len({loss for _, loss in losses}) > 1 and (not rounded or losses[-1][0] >= LEAST_STEPS)


def _finding(other: TrainingIdentity, actual: TrainingIdentity, rows: int) -> Finding:
    fields = list(differences(other.settings, actual.settings))
    stated = f"the stated settings differ in {listed(fields)}" if fields else "no stated setting differs"
    return Finding(
        CODE,
        Severity.WARNING,
        f"the first {count(rows, 'loss', 'losses')} are those of {other.run}, up to step "
        f"{actual.losses[rows - 1][0]:,}; {stated}",
        measured=rows,
        threshold=LEAST_ROWS,
        evidence={
            "run": other.run,
            "experiment": other.experiment,
            "rows": rows,
            "setting_differences": [field.to_json() for field in fields],
        },
    )
