"""`ledger check`: the text and score guards on any output file. Imports neither torch nor transformers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from guards import registry
from guards.guard import inspect
from guards.preflight.nearest_codes import nearest_codes
from guards.text.failed import DEFAULT_MARKERS
from guards.text.form import normalized
from guards.text.limits import DEFAULT_MAX_RATE
from guards.text.measures.chunk import Chunk
from guards.text.scan import Scan, scan_lines
from ledger.errors import LedgerError, UsageError
from ledger.evaluation.flagged_lines import Kept, kept_files, write_flagged, write_kept
from ledger.evaluation.given_texts import given_texts
from ledger.evaluation.line_statistics import LineStatistics
from ledger.evaluation.normalized_scores import normalized_statistics
from ledger.evaluation.scoring import score, scores_of
from ledger.evidence import Evidence, Unobserved
from ledger.evidence.metrics import Metric
from ledger.evidence.scores import Comet, ScoreLimits, Scores
from ledger.evidence.text import Flagged, TextEvidence, TextLimits
from ledger.findings import Report
from ledger.models.languages import is_language
from ledger.outputs import check_output
from ledger.utils.line_file import open_lines
from ledger.utils.plural import count
from ledger.utils.textfiles import read_lines

if TYPE_CHECKING:
    from ledger.commands.comet import Scorer


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """What to check and with which limits; `max_rate` (0-1, by guard code) overrides the defaults.

    `flagged` is the file for the flagged lines, `kept` the prefix of the files for the other ones, of which
    `dropped_codes` are left out (none named: all).
    """

    output: Path
    source: Path | None = None
    references: tuple[Path, ...] = ()
    language: str | None = None
    markers: tuple[str, ...] = DEFAULT_MARKERS
    max_rate: Mapping[str, float] = field(default_factory=dict)
    score_limits: ScoreLimits = field(default_factory=ScoreLimits)
    flagged: Path | None = None
    kept: Path | None = None
    dropped_codes: tuple[str, ...] = ()
    comet: "Scorer | None" = None


@dataclass(frozen=True, slots=True)
class CheckedOutput:
    """The report, and the evidence that it is based on.

    `normalized` are the scores after normalising the Unicode form of all texts, where that moves them.
    """

    report: Report
    text: TextEvidence
    scores: Scores | Unobserved
    kept: Kept | None = None
    normalized: Scores | None = None
    comet: Comet | None = None

    @property
    def rates(self) -> dict[str, float]:
        """The share of lines (0-1) that each text guard flagged; skipped guards are missing."""
        return self.text.rates


def check_files(request: CheckRequest) -> CheckedOutput:
    """Read the files and check them.

    Raises UsageError for invalid limits and languages, LedgerError for files that cannot be read or differ in
    length.
    """
    _validate(request)
    output = open_lines(request.output)
    source = None if request.source is None else open_lines(request.source)
    references = [read_lines(path) for path in request.references]
    checked, found = _check(request, output, source, references)
    return replace(checked, kept=_write_lines(request, found, output, source))


def check_lines(
    output: Sequence[str],
    *,
    source: Sequence[str] | None,
    references: Sequence[Sequence[str]],
    language: str | None,
    max_rate: Mapping[str, float],
    score_limits: ScoreLimits,
) -> CheckedOutput:
    """The same on lines in memory. Raises UsageError and LedgerError as `check_files` does."""
    request = CheckRequest(
        Path(),
        references=(Path(),) * len(references),
        language=language,
        max_rate=max_rate,
        score_limits=score_limits,
    )
    _validate(request)
    return _check(request, output, source, references)[0]


def _check(
    request: CheckRequest,
    output: Sequence[str],
    source: Sequence[str] | None,
    references: Sequence[Sequence[str]],
) -> tuple[CheckedOutput, Scan]:
    reference = references[0] if references else None
    for name, other in (("source", source), ("reference", reference)):
        _same_length(output, name, other)
    found = scan_lines(Chunk(output, source, reference), language=request.language, markers=request.markers)
    statistics = None
    if references and request.language is not None:
        statistics = LineStatistics.extract(output, references, request.language)
    report, text, scores = inspect_output(
        output,
        source=source,
        reference=reference,
        found=found,
        scores=scores_of(statistics) if statistics else None,
        more_references=references[1:],
        language=request.language,
        markers=request.markers,
        max_rate=request.max_rate,
        score_limits=request.score_limits,
    )
    given = Evidence()
    if source is not None or references:
        given = Evidence(given_texts(output, source, references))
    report += inspect(registry.GIVEN, Evidence(request.score_limits), given)
    comet = None
    if request.comet is not None and source is not None:
        result = request.comet(source, reference or (), (output,))
        mean = sum(result.scores[0]) / len(output)
        comet = Comet(Metric(mean, result.signature), len(output))
        report += inspect(registry.COMET, Evidence(request.score_limits), Evidence(comet))
    checked = CheckedOutput(
        comet=comet,
        report=_require(report, request.max_rate),
        text=text,
        scores=scores,
        normalized=_normalized(statistics, output, references) if statistics else None,
    )
    return checked, found


def _normalized(
    statistics: LineStatistics, output: Sequence[str], references: Sequence[Sequence[str]]
) -> Scores | None:
    found = normalized_statistics((statistics,), (output,), references, normalized)
    return scores_of(found[0]) if found else None


def _write_lines(
    request: CheckRequest, found: Scan, output: Sequence[str], source: Sequence[str] | None
) -> Kept | None:
    """Write the files that --flagged and --kept ask for."""
    if request.flagged is not None:
        write_flagged(request.flagged, found.lines, output, source)
    if request.kept is None:
        return None
    return write_kept(request.kept, found.lines, output, source, request.dropped_codes or tuple(found.lines))


def inspect_output(
    output: Sequence[str],
    *,
    source: Sequence[str] | None,
    reference: Sequence[str] | None,
    language: str | None,
    markers: Sequence[str],
    max_rate: Mapping[str, float],
    score_limits: ScoreLimits,
    more_references: Sequence[Sequence[str]] = (),
    found: Scan | None = None,
    scores: Scores | None = None,
    generated: Mapping[str, Flagged] | None = None,
) -> tuple[Report, TextEvidence, Scores | Unobserved]:
    """Run the text and score guards on one output; return the report, the text evidence and the scores.

    `max_rate` (0-1, by guard code) overrides the defaults; `found` and `scores` are the scan and the scores
    of the same texts where they were made already; `generated` are the lines that our own generation reports,
    by code. Raises LedgerError if the output is empty, or the source or a reference has a different number of
    lines.
    """
    if not output:
        raise LedgerError("the output has no lines", hint="check a file with at least one line")
    for name, other in (
        ("source", source),
        ("reference", reference),
        *(("reference", one) for one in more_references),
    ):
        _same_length(output, name, other)
    text = (
        found or scan_lines(Chunk(output, source, reference), language=language, markers=markers)
    ).evidence
    text = replace(text, flagged={**text.flagged, **(generated or {})})
    measured = scores or _scores(output, reference, more_references, language)
    expected = Evidence(TextLimits({**DEFAULT_MAX_RATE, **max_rate}), score_limits)
    actual = Evidence(text).including(Scores, measured)
    own = registry.GENERATED if generated is not None else ()
    report = inspect((*registry.TEXT, *own, *registry.SCORES), expected, actual)
    return report, text, measured


def _scores(
    output: Sequence[str],
    reference: Sequence[str] | None,
    more_references: Sequence[Sequence[str]],
    language: str | None,
) -> Scores | Unobserved:
    if reference is None:
        return Unobserved("no reference was given")
    if language is None:
        return Unobserved("no language was given, so BLEU has no tokenizer", required=True)
    return score(output, reference, language, *more_references)


def _same_length(output: Sequence[str], name: str, other: Sequence[str] | None) -> None:
    if other is not None and len(other) != len(output):
        raise LedgerError(
            f"the output has {count(len(output), 'line')} and the {name} has {len(other):,}",
            hint=f"give the {name} of this output: line n of one must belong to line n of the other",
        )


def _require(report: Report, codes: Collection[str]) -> Report:
    """Mark skips of guards whose limit the user set as required, so that the verdict is not a pass."""
    skips = tuple(replace(skip, required=skip.required or skip.code in codes) for skip in report.skips)
    return replace(report, skips=skips)


def _validate(request: CheckRequest) -> None:
    read = [path for path in (request.output, request.source, *request.references) if path is not None]
    kept = kept_files(request.kept)[request.source is None :] if request.kept is not None else ()
    for path in (*kept, *([request.flagged] if request.flagged is not None else [])):
        check_output(path, read)
    if request.references and request.language is None:
        raise UsageError(
            "scores need the language: BLEU means little without its tokenizer",
            hint="say which language the output is in, such as --lang ja",
        )
    least = request.score_limits.min_bleu
    if not request.references and least is not None:
        raise UsageError("--min-bleu needs a reference", hint="give --reference FILE")
    if least is not None and not 0 <= least <= 100:
        raise UsageError(f"--min-bleu {least:g}: BLEU is between 0 and 100", hint="such as --min-bleu 20")
    if request.comet is None and request.score_limits.min_comet is not None:
        raise UsageError("--min-comet needs a model", hint="such as --comet Unbabel/wmt22-comet-da")
    if request.comet is not None and not (request.source and len(request.references) == 1):
        raise UsageError("--comet needs the source and one reference", hint="give --source and --reference")
    if request.language is not None:
        _validate_language(request.language)
    if request.dropped_codes and request.kept is None:
        raise UsageError("--drop needs --kept", hint="give --kept PREFIX for the files of the other lines")
    for code in request.dropped_codes:
        _validate_code("--drop", code)
    for code, rate in request.max_rate.items():
        _validate_limit(code, rate)


def _validate_language(code: str) -> None:
    from babel import Locale

    if not is_language(code):
        names = Locale("en").languages
        named = [known for known, name in names.items() if name.lower() == code.lower()]
        near = named or nearest_codes(code, (known for known in names if len(known) == 2))
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise UsageError(
            f"invalid language code: {code!r}", hint=f"{hint}use a code such as ja, ko_KR or jpn_Jpan"
        )


def _validate_limit(code: str, rate: float) -> None:
    _validate_code("--max", code)
    if not 0 <= rate <= 1:
        raise UsageError(
            f"--max {code}={rate:g}: a rate must be between 0 and 1", hint="10 of 100 lines are 0.1"
        )


def _validate_code(option: str, code: str) -> None:
    codes = [guard.CODE for guard in registry.TEXT]
    if code not in codes:
        raise UsageError(
            f"{option} {code}: no text guard has that code", hint=f"the codes are {', '.join(codes)}"
        )
