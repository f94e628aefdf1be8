"""CKP016: a score claimed for the checkpoint is on a doubtful scale, or a measurement contradicts it."""

from collections.abc import Iterator, Sequence

from guards.checkpoint.behaviour.collapse import LINES, WORTH, collapsed, points
from guards.guard import Explanation
from ledger.evidence.provenance import Measured, ScoreClaim, ScoreClaims
from ledger.findings import Finding, Severity, Skip
from ledger.utils.plural import count

CODE = "CKP016"
TITLE = "a claimed score is doubtful"
READS = (ScoreClaims, Measured)
EXPLANATION = Explanation(
    means="A claimed BLEU or chrF is not on 0-100, or is at most 1, so that it may be a fraction of 1 or "
    "points of 100, and no measurement shows that it is points; or the measured score contradicts it: one is "
    "below a third of the other, and the other is at least 5 of 100. A contradiction over 32 lines or more "
    "is an error, a doubtful scale a warning.",
    matters='A log once said "BLEU 0.22 (22%?)". Read as a fraction of 1, the model had learned and was '
    "lost on reload; read as points of 100, where the same pipeline had recorded 33.03, it had never "
    "learned. Two days went into the first reading.",
    do="State scores on 0-100 with the signature that sacrebleu prints. Measure doubtful scores again: "
    "ledger verify CHECKPOINT --source FILE --reference FILE --lang LANGUAGE.",
)
# The metrics that sacrebleu gives on 0-100.
ON_100 = ("bleu", "chrf")


def inspect(expected: ScoreClaims, actual: Measured) -> Iterator[Finding | Skip]:
    """Judge each claimed BLEU and chrF by its scale and, where there is one, by the measured score."""
    claims = [claim for claim in expected.claims if claim.metric in ON_100]
    if not claims:
        yield Skip(CODE, "no BLEU or chrF is claimed for the checkpoint")
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
        yield _finding(
            claim, Severity.ERROR, f"{stated} is out of range: the scale is 0 to 100", measured, earlier
        )
    elif not fitting and measured is not None:
        severity = Severity.ERROR if lines >= LINES else Severity.WARNING
        message = f"{stated} is claimed, but {measured:.2f} of 100 was measured over {count(lines, 'line')}"
        yield _finding(claim, severity, message, measured, earlier)
    elif len(readings) > 1 and (fitting != [claim.value] or max(earlier, default=0) >= WORTH):
        message = f"{stated} is on a doubtful scale: {_doubt(claim.value, earlier, measured, fitting)}"
        yield _finding(claim, Severity.WARNING, message, measured, earlier)


def _readings(value: float) -> tuple[float, ...]:
    """The possible values in points of 100; none where the stated value is out of range."""
    if not 0 <= value <= 100:  # NaN too
        return ()
    return (value, 100 * value) if 0 < value <= 1 else (value,)


def _contradicts(value: float, measured: float) -> bool:
    return collapsed(value, measured) or collapsed(measured, value)


def _doubt(value: float, earlier: Sequence[float], measured: float | None, fitting: Sequence[float]) -> str:
    parts = [f"{value:g} of 100, or {100 * value:g}"]
    if earlier and max(earlier) >= WORTH:
        parts.append(
            f"the same pipeline recorded {max(earlier):g} on 0-100, so {value:g} would be close to nothing"
        )
    if measured is not None:
        side = f"supports {fitting[0]:g}" if len(fitting) == 1 else "fits both"
        parts.append(f"{measured:.2f} of 100 was measured, which {side}")
    return "; ".join(parts)


def _finding(
    claim: ScoreClaim, severity: Severity, message: str, measured: float | None, earlier: Sequence[float]
) -> Finding:
    # JSON has no NaN, and a claim may be any number.
    value = claim.value if 0 <= claim.value <= 100 else str(claim.value)
    evidence = {"claimed": value, "source": claim.source, "earlier": list(earlier)}
    return Finding(CODE, severity, message, measured, value, evidence)
