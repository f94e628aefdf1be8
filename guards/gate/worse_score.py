"""GAT003: the newest score of an experiment is worse than the base's."""

from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.gate import ScoreChange, ScoreChanges, Scored, ScoreLimit
from ledger.findings import Finding, Severity, Skip

CODE = "GAT003"
TITLE = "a score is worse than the base's"
READS = (ScoreLimit, ScoreChanges)
EXPLANATION = Explanation(
    means="The newest run of an experiment scores lower than the newest one in the base, and by more than "
    "chance: a paired bootstrap over the two outputs (sacrebleu's, 1,000 resamples) gives p below the "
    "limit, or, if the outputs are not available, the recorded 95% intervals do not overlap. A lower score "
    "within chance is a note; without outputs and intervals it is skipped. If there are so few lines that a "
    "fall of one point cannot be excluded, the check is skipped as underpowered, with the number of lines "
    "that would find it in 80 of 100 cases.",
    matters="A score that drops a little with each merge is only noticed once it has dropped a lot, and "
    "then it is hard to find the change that caused it.",
    do="Compare the two runs with: ledger compare BASELINE RUN. If the loss is intended, record the reason: "
    "ledger accept RUN GAT003 --why ...",
)


def inspect(expected: ScoreLimit, actual: ScoreChanges) -> Iterator[Finding | Skip]:
    """Yield one finding for each lower score, and one skip for each that could not be compared."""
    for change in actual.changes:
        if change.candidate.metric.signature != change.baseline.metric.signature:
            yield Skip(CODE, f"{_named(change)}: computed differently from the base's, so not comparable")
            continue
        lower = change.candidate.metric.value < change.baseline.metric.value
        found = _fell(change, expected.max_p) if lower else None
        if isinstance(found, Finding) and found.severity is Severity.ERROR:
            yield found
        elif skip := underpowered(change, expected.smallest):
            yield skip
        elif found:
            yield found


def underpowered(change: ScoreChange, smallest: float) -> Skip | None:
    """The skip of a comparison that cannot exclude a fall of `smallest` points, if it is one."""
    interval, needed = change.interval, change.needed(smallest)
    if interval is None or needed is None or interval[0] > -smallest or needed <= (change.lines or 0):
        return None
    low, high = interval
    scores = f"{_shown(change.baseline)} → {_shown(change.candidate)}"
    return Skip(
        CODE,
        f"{_named(change)}: underpowered: {needed:,} lines needed to see a fall of {smallest:g}, "
        f"and there are {change.lines:,} ({scores}, difference {low:+.2f} to {high:+.2f})",
    )


def _fell(change: ScoreChange, max_p: float) -> Finding | Skip:
    before, after = change.baseline, change.candidate
    message = f"{_named(change)}: {_shown(before)} → {_shown(after)}"
    if change.paired is not None:
        p_value = change.paired.p_value
        test = f"paired bootstrap, p = {p_value:.4f}"
        return _finding(change, p_value < max_p, f"{message} ({test})", p_value, max_p)
    if before.interval and after.interval:
        worse = after.interval[1] < before.interval[0]
        how = f"their 95% intervals {'do not overlap' if worse else 'overlap'}; {change.unpaired}"
        return _finding(change, worse, f"{message} ({how})", after.interval[1], before.interval[0])
    why = f"{change.unpaired}, and no interval was recorded"
    return Skip(CODE, f"{message}, which may be chance: {why}")


def _finding(change: ScoreChange, worse: bool, message: str, measured: float, threshold: float) -> Finding:
    return Finding(
        CODE,
        Severity.ERROR if worse else Severity.INFO,
        message if worse else f"{message}: within chance",
        measured=measured,
        threshold=threshold,
        evidence={
            "run": change.candidate.run,
            "baseline": change.baseline.run,
            "metric": change.name,
            "before": change.baseline.metric.value,
            "after": change.candidate.metric.value,
            "signature": change.candidate.metric.signature,
        },
    )


def _named(change: ScoreChange) -> str:
    return f"{change.candidate.run}, {change.name}"


def _shown(scored: Scored) -> str:
    if scored.interval is None:
        return f"{scored.metric.value:.2f}"
    low, high = scored.interval
    return f"{scored.metric.value:.2f} [{low:.2f}, {high:.2f}]"
