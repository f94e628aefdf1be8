"""`ledger check`: the text and score guards on any output file. Loads neither torch nor transformers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from guards import registry
from guards.guard import inspect
from guards.preflight.nearest_codes import nearest_codes
from guards.text.failed import DEFAULT_MARKERS
from guards.text.limits import DEFAULT_MAX_RATE
from guards.text.scan import scan
from ledger.errors import LedgerError, UsageError
from ledger.evaluation.scoring import score
from ledger.evidence import Evidence, Unobserved
from ledger.evidence.scores import ScoreLimits, Scores
from ledger.evidence.text import TextEvidence, TextLimits
from ledger.findings import Report
from ledger.models.languages import language_of
from ledger.utils.textfiles import read_lines


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """What to check, against what, and by which limits; `max_rate` is laid over the defaults."""

    output: Path
    source: Path | None = None
    reference: Path | None = None
    language: str | None = None
    markers: tuple[str, ...] = DEFAULT_MARKERS
    max_rate: Mapping[str, float] = field(default_factory=dict)
    score_limits: ScoreLimits = field(default_factory=ScoreLimits)


@dataclass(frozen=True, slots=True)
class CheckedOutput:
    """What came of it."""

    report: Report
    text: TextEvidence
    scores: Scores | Unobserved

    @property
    def rates(self) -> dict[str, float]:
        """The share of lines (0-1) that each text guard flagged; a code that could not look is missing."""
        return {code: flagged.count / self.text.lines for code, flagged in sorted(self.text.flagged.items())}


def check_files(request: CheckRequest) -> CheckedOutput:
    """Read the files and guard them.

    Raises UsageError for limits and languages that cannot be meant, LedgerError for files that cannot be read
    or do not belong together.
    """
    _validate(request)
    report, text, scores = inspect_output(
        read_lines(request.output),
        source=None if request.source is None else read_lines(request.source),
        reference=None if request.reference is None else read_lines(request.reference),
        language=request.language,
        markers=request.markers,
        max_rate=request.max_rate,
        score_limits=request.score_limits,
    )
    return CheckedOutput(_demand(report, request.max_rate), text, scores)


def inspect_output(
    output: Sequence[str],
    *,
    source: Sequence[str] | None,
    reference: Sequence[str] | None,
    language: str | None,
    markers: Sequence[str],
    max_rate: Mapping[str, float],
    score_limits: ScoreLimits,
) -> tuple[Report, TextEvidence, Scores | Unobserved]:
    """Text and score guards on one output: the report, what the text scan saw, and the scores.

    `max_rate` (0-1, by guard code) is laid over the defaults. Raises LedgerError when the output is empty or
    source or reference has another number of lines.
    """
    if not output:
        raise LedgerError("the output has no lines", hint="check a file that has at least one")
    for name, other in (("source", source), ("reference", reference)):
        _same_length(output, name, other)
    text = scan(output, source=source, language=language, markers=markers)
    scores = _scores(output, reference, language)
    expected = Evidence(TextLimits({**DEFAULT_MAX_RATE, **max_rate}), score_limits)
    actual = Evidence(text).including(Scores, scores)
    report = inspect((*registry.TEXT, *registry.SCORES), expected, actual)
    return report, text, scores


def _scores(
    output: Sequence[str], reference: Sequence[str] | None, language: str | None
) -> Scores | Unobserved:
    if reference is None:
        return Unobserved("no reference was given")
    if language is None:
        return Unobserved("no language was given, so BLEU has no tokenizer", required=True)
    return score(output, reference, language)


def _same_length(output: Sequence[str], name: str, other: Sequence[str] | None) -> None:
    if other is not None and len(other) != len(output):
        raise LedgerError(
            f"the output has {len(output):,} lines and the {name} has {len(other):,}",
            hint=f"line n of the {name} must belong to line n of the output; "
            f"give the {name} of this very output",
        )


def _demand(report: Report, codes: Collection[str]) -> Report:
    """A guard whose limit the call sets was asked for: if it could not look, that is no pass."""
    skips = tuple(replace(skip, required=skip.required or skip.code in codes) for skip in report.skips)
    return replace(report, skips=skips)


def _validate(request: CheckRequest) -> None:
    if request.reference is not None and request.language is None:
        raise UsageError(
            "scores need the language: BLEU means little without its tokenizer",
            hint="say which language the output is in, such as --lang ja",
        )
    if request.reference is None and request.score_limits.min_bleu is not None:
        raise UsageError("--min-bleu needs something to score against", hint="give --reference FILE")
    if request.language is not None:
        _validate_language(request.language)
    for code, rate in request.max_rate.items():
        _validate_limit(code, rate)


def _validate_language(code: str) -> None:
    from babel import Locale

    known = Locale("en").languages
    if language_of(code) not in known:
        near = nearest_codes(code, (name for name in known if len(name) == 2))
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise UsageError(
            f"{code!r} is no language code", hint=f"{hint}give one such as ja, ko_KR or jpn_Jpan"
        )


def _validate_limit(code: str, rate: float) -> None:
    codes = [guard.CODE for guard in registry.TEXT]
    if code not in codes:
        raise UsageError(f"--max {code}: no text guard has that code", hint=f"they are {', '.join(codes)}")
    if not 0 <= rate <= 1:
        raise UsageError(f"--max {code}={rate:g}: a rate is between 0 and 1", hint="10 lines in 100 are 0.1")
