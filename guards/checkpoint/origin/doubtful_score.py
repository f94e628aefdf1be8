"""CKP016: a score that is claimed of the checkpoint is on a doubtful scale, or contradicted."""

from collections.abc import Iterator, Sequence

from guards.checkpoint.behaviour.collapse import LINES, WORTH, collapsed, points
from guards.guard import Explanation
from ledger.evidence.provenance import Measured, ScoreClaim, ScoreClaims
from ledger.findings import Finding, Severity, Skip

CODE = "CKP016"
TITLE = "a claimed score is doubtful"
READS = (ScoreClaims, Measured)
EXPLANATION = Explanation(
    means="A claimed BLEU or chrF is not on 0-100, or is at most 1, so that it may be a share of 1 as "
    "well as points of 100; or what was measured contradicts it: one is below a third of the other, and "
    "the other 5 of 100 at least. A contradiction over 32 lines or more is an error, a doubt a warning.",
    matters='A log once said "BLEU 0.22 (22%?)". As a share of 1 the model had learned and was lost on '
    "reload; as points of 100, where the same pipeline had recorded 33.03, it had never learned. Two days "
    "went into the first reading.",
    do="State scores on 0-100 with the signature that sacrebleu prints. Measure again what is in doubt: "
    "ledger verify CHECKPOINT --source FILE --reference FILE --lang LANGUAGE.",
)
# The metrics that sacrebleu gives on 0-100.
ON_100 = ("bleu", "chrf")


def inspect(expected: ScoreClaims, actual: Measured) -> Iterator[Finding | Skip]:
    """Look at each claim of a metric on 0-100; a measured value is held against it where there is one."""
    claims = [claim for claim in expected.claims if claim.metric in ON_100]
    if not claims:
        yield Skip(CODE, "no BLEU or chrF is claimed of the checkpoint")
    for claim in claims:
        score = actual.scores.get(claim.metric)
        measured = points(score) if score else None
        yield from _judge(claim, expected.earlier.get(claim.metric, ()), measured, actual.lines)


def _judge(
    claim: ScoreClaim, earlier: Sequence[float], measured: float | None, lines: int
) -> Iterator[Finding]:
    stated = f"{claim.metric} {claim.value:g} ({claim.source})"
    readings = _readings(claim.value)
    fitting = [value for value in readings if measured is None or not _contradicts(value, measured)]
    if not readings:
        yield _finding(claim, Severity.ERROR, f"{stated} is on no scale: it is 0 to 100", measured, earlier)
    elif not fitting and measured is not None:
        severity = Severity.ERROR if lines >= LINES else Severity.WARNING
        says = f"{stated} is claimed; {measured:.2f} of 100 was measured over {lines:,} lines"
        yield _finding(claim, severity, says, measured, earlier)
    elif len(readings) > 1:
        says = f"{stated} is on a doubtful scale: {_doubt(claim.value, earlier, measured, fitting)}"
        yield _finding(claim, Severity.WARNING, says, measured, earlier)


def _readings(value: float) -> tuple[float, ...]:
    """What a stated value may be in points of 100; none where it is on no scale."""
    if not 0 <= value <= 100:  # NaN too
        return ()
    return (value, 100 * value) if 0 < value <= 1 else (value,)


def _contradicts(value: float, measured: float) -> bool:
    return collapsed(value, measured) or collapsed(measured, value)


def _doubt(value: float, earlier: Sequence[float], measured: float | None, fitting: Sequence[float]) -> str:
    parts = [f"{value:g} of 100, or {100 * value:g}"]
    if earlier and max(earlier) >= WORTH:
        parts.append(
            f"the same pipeline recorded {max(earlier):g} on 0-100, where it would be close to nothing"
        )
    if measured is not None:
        side = f"speaks for {fitting[0]:g}" if len(fitting) == 1 else "fits both"
        parts.append(f"{measured:.2f} of 100 was measured, which {side}")
    return "; ".join(parts)


def _finding(
    claim: ScoreClaim, severity: Severity, message: str, measured: float | None, earlier: Sequence[float]
) -> Finding:
    # JSON has no NaN, and a claim may be anything.
    value = claim.value if 0 <= claim.value <= 100 else str(claim.value)
    evidence = {"claimed": value, "source": claim.source, "earlier": list(earlier)}
    return Finding(CODE, severity, message, measured, value, evidence)
