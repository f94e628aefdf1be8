"""PRE007: the text that a training is evaluated on is also in the text that it learns from."""

from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.preflight import HeldOutText, LeakedLines
from ledger.findings import Finding, Severity
from ledger.utils.plural import and_more

CODE = "PRE007"
TITLE = "validation lines are in the training text"
READS = (HeldOutText, LeakedLines)
# Measured on 44,603 software strings in Korean, Japanese and English, split at random or by project, where
# short labels recur legitimately: pairs 0.8-7.3%, with 30 letters and more 0-1.4%; sources alone 3-34%, with
# 30 letters and more 0-7.8%; targets alone 1.5-8%, which says little and is only noted.
MAX_LONG_PAIRS = 0.02
MAX_PAIRS = 0.2
MAX_LONG_SOURCES = 0.1
EXPLANATION = Explanation(
    means="Lines of the validation files are also in the training files: with their translation, exactly or "
    "apart from case, width, digits and punctuation; or only their source, or only their target. An error "
    f"above {MAX_LONG_PAIRS:.0%} of lines with their translation that have 30 letters or more on both sides "
    f"together, or above {MAX_PAIRS:.0%} of any length. A warning above {MAX_LONG_SOURCES:.0%} of sources "
    "with 30 letters or more. Otherwise a note, since short texts such as `Yes.` or `File name` recur in "
    "any corpus.",
    matters="The model recalls such lines instead of translating them, so that the score, and the choice of "
    "the best checkpoint, promise more than the model can do on new text.",
    do="Remove these lines from the training files, or remove duplicates before you split a corpus. Split by "
    "document, film or project rather than by line. To train all the same: --allow PRE007.",
)
MOST_NAMED = 3


def inspect(expected: HeldOutText, actual: LeakedLines) -> Iterator[Finding]:
    """Compare the shares of leaked lines with the limits."""
    if not actual.count:
        return
    pairs = (actual.exact + actual.near) / expected.lines
    long_pairs, long_sources = actual.long_pairs / expected.lines, actual.long_sources / expected.lines
    measured, limit, severity = pairs, MAX_PAIRS, Severity.INFO
    if long_pairs > MAX_LONG_PAIRS:
        measured, limit, severity = long_pairs, MAX_LONG_PAIRS, Severity.ERROR
    elif pairs > MAX_PAIRS:
        severity = Severity.ERROR
    elif long_sources > MAX_LONG_SOURCES:
        measured, limit, severity = long_sources, MAX_LONG_SOURCES, Severity.WARNING
    kinds = {
        "with the same translation": actual.exact,
        "with nearly the same translation": actual.near,
        "only the source": actual.source,
        "only the target": actual.target,
    }
    named = ", ".join(f"{number:,} {kind}" for kind, number in kinds.items() if number)
    examples = [f"line {held} (line {learned})" for held, learned in actual.examples]
    yield Finding(
        CODE,
        severity,
        f"{actual.count:,} of {expected.lines:,} lines of {expected.path} are in the training text "
        f"({actual.count / expected.lines:.2%}): {named}; such as {and_more(examples, MOST_NAMED)}",
        measured=measured,
        threshold=limit,
        evidence={
            "lines": expected.lines,
            "exact": actual.exact,
            "near": actual.near,
            "source": actual.source,
            "target": actual.target,
            "long_pairs": actual.long_pairs,
            "long_sources": actual.long_sources,
            "examples": [list(pair) for pair in actual.examples],
        },
    )
