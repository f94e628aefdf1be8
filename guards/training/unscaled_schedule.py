"""TRN007: there is more data or a larger batch than in the parent run, under an unchanged schedule."""

from collections.abc import Iterator
from math import isclose

from guards.guard import Explanation
from guards.training.rolling_window import shown
from ledger.evidence.training import TrainingPlan
from ledger.findings import Finding, Severity, Skip

CODE = "TRN007"
TITLE = "data or batch size grew, but the schedule did not"
READS = (TrainingPlan, TrainingPlan)
EXPLANATION = Explanation(
    means="Compared with the parent run, the number of training steps (through more data) or of examples "
    "per optimizer step has grown to 1.5 times or more, while both the learning rate and the warm-up are "
    "unchanged: the same number of steps, of epochs, or the same share of the training.",
    matters="When the data grew from 970 to 4,850 batches per epoch under a warm-up of 3 epochs and a "
    "learning rate of 2e-05, the warm-up became 14,550 steps instead of 2,910, the gradient norms were 0.02 "
    "to 0.04, and the model learned nothing. A batch that is k times larger needs a learning rate that is k "
    "times (Goyal et al. 2017) or the square root of k times larger.",
    do="Reconsider the learning rate and the warm-up; if they are right as they are, accept this finding on "
    "the record. A long warm-up alone is not a fault: a good run had 4,000 of 21,370 steps, which is 18.7%.",
)
# Under the square-root rule, 1.5 times the batch needs a learning rate 22% higher: anything less is within
# the usual distance between the values that people try.
GROWN = 1.5
SAME = 0.01


def inspect(expected: TrainingPlan, actual: TrainingPlan) -> Iterator[Finding | Skip]:
    """Compare size and schedule with the parent run's."""
    schedule = (expected.learning_rate, actual.learning_rate, expected.warmup_steps, actual.warmup_steps)
    if None in schedule:
        yield Skip(CODE, f"learning rate or warm-up of this run or of {expected.run} is not known")
        return
    sizes = {"data": data_growth(expected, actual), "batch": batch_growth(expected, actual)}
    if sizes["data"] is None and sizes["batch"] is None:
        yield Skip(CODE, f"neither data nor batch size is known for both this run and {expected.run}")
        return
    grown = {what: times for what, times in sizes.items() if times is not None and times >= GROWN}
    if sizes["data"] in grown.values() and not _is_longer(expected, actual):
        grown.pop("data")  # fewer epochs over more data: the schedule is as long as before
    unchanged = _unchanged_warmup(expected, actual)
    if grown and unchanged and _same(expected.learning_rate, actual.learning_rate):
        yield _finding(expected, actual, grown, unchanged)


def data_growth(before: TrainingPlan, after: TrainingPlan) -> float | None:
    """The factor by which the examples of an epoch grew; None where that is not known.

    Where only the number of batches is known, their size is assumed to be the same.
    """
    if before.train_examples and after.train_examples:
        return after.train_examples / before.train_examples
    if before.batches and after.batches:
        per_batch = 1.0
        if before.batch_size and after.batch_size:
            per_batch = after.batch_size / before.batch_size
        return after.batches / before.batches * per_batch
    return None


def batch_growth(before: TrainingPlan, after: TrainingPlan) -> float | None:
    """The factor by which the examples per optimizer step grew; None where they are not known."""
    if before.batch_size is None or after.batch_size is None:
        return None
    return after.batch_size * after.accumulation / (before.batch_size * before.accumulation)


def _is_longer(before: TrainingPlan, after: TrainingPlan) -> bool:
    return before.steps is None or after.steps is None or after.steps >= GROWN * before.steps


def _unchanged_warmup(before: TrainingPlan, after: TrainingPlan) -> str | None:
    """The warm-up in the unit in which it is unchanged (people state steps, epochs or a share), or None."""
    if _same(before.warmup_steps, after.warmup_steps):
        return f"{after.warmup_steps:,} steps"
    if _same(epochs := _warmup_epochs(before), _warmup_epochs(after)):
        return f"{epochs:g} epochs"
    if _same(share := _warmup_share(before), _warmup_share(after)):
        return f"{share:.1%} of the steps"
    return None


def _warmup_epochs(plan: TrainingPlan) -> float | None:
    if plan.warmup_steps is None or not plan.steps or not plan.epochs:
        return None
    return round(plan.warmup_steps / plan.steps * plan.epochs, 2)


def _warmup_share(plan: TrainingPlan) -> float | None:
    return plan.warmup_steps / plan.steps if plan.warmup_steps is not None and plan.steps else None


def _same(before: float | None, after: float | None) -> bool:
    return before is not None and after is not None and isclose(before, after, rel_tol=SAME)


def _finding(before: TrainingPlan, after: TrainingPlan, grown: dict[str, float], unchanged: str) -> Finding:
    sizes = " and ".join(f"{what} grew {times:.3g} times" for what, times in grown.items())
    rate = after.learning_rate
    return Finding(
        CODE,
        Severity.WARNING,
        f"{sizes} since {before.run} ({_size(before)} -> {_size(after)}), but the warm-up of {unchanged} "
        f"({_warmup(before)} -> {_warmup(after)}) and the learning rate of {shown(rate or 0.0)} did not "
        "change",
        measured=max(grown.values()),
        threshold=GROWN,
        evidence={"parent": before.run, "before": _numbers(before), "after": _numbers(after), **grown},
    )


def _size(plan: TrainingPlan) -> str:
    if plan.train_examples is not None:
        examples = f"{plan.train_examples:,} examples"
    elif plan.batches is not None:
        examples = f"{plan.batches:,} batches per epoch"
    else:
        examples = "data not known"
    batch = f", {plan.batch_size * plan.accumulation:,} per step" if plan.batch_size is not None else ""
    return examples + batch


def _warmup(plan: TrainingPlan) -> str:
    share = _warmup_share(plan)
    return f"{plan.warmup_steps:,} steps" + (f", {share:.1%}" if share is not None else "")


def _numbers(plan: TrainingPlan) -> dict[str, float | int | None]:
    names = ("train_examples", "batches", "batch_size", "accumulation", "epochs", "steps", "warmup_steps")
    return {name: getattr(plan, name) for name in (*names, "learning_rate")}
