"""The text guards on a checkpoint's sample: a few lines, held against what the model said in memory."""

from collections.abc import Mapping
from dataclasses import replace

from guards import registry
from guards.guard import inspect
from guards.text.failed import DEFAULT_MARKERS
from guards.text.limits import DEFAULT_MAX_RATE
from guards.text.scan import scan
from ledger.evidence import Evidence, Unobserved
from ledger.evidence.snapshot import Sample
from ledger.evidence.text import TextEvidence, TextLimits
from ledger.findings import Finding, Report, Severity

# To see a fault of 0.5% of lines at least once takes 919 lines (99% sure). Below, only a collapse is told.
ENOUGH_LINES = 919
COLLAPSE = 0.25
AS_IN_MEMORY = "the model in memory did the same at the save: it had not learned better, and nothing was lost"


def inspect_sample(sample: Sample | None, memory: Sample | None) -> tuple[Report, TextEvidence | None]:
    """The text guards' report on a reloaded model's sample.

    What the model in memory did to as many of the same lines is a warning: a fault of the training, not of
    the save.
    """
    if sample is None:
        unseen = Evidence().including(TextEvidence, Unobserved("the reloaded model translated no lines"))
        return inspect(registry.TEXT, Evidence(), unseen), None
    text = _look(sample)
    report = inspect(registry.TEXT, Evidence(_limits(text.lines)), Evidence(text))
    if memory is not None and memory.source == sample.source:
        report = _excuse(report, text, _look(memory))
    return report, text


def _look(sample: Sample) -> TextEvidence:
    return scan(sample.output, source=sample.source, language=sample.language, markers=DEFAULT_MARKERS)


def _limits(lines: int) -> TextLimits:
    if lines >= ENOUGH_LINES:
        return TextLimits(DEFAULT_MAX_RATE)
    rates: Mapping[str, float] = {code: max(rate, COLLAPSE) for code, rate in DEFAULT_MAX_RATE.items()}
    return TextLimits(rates)


def _excuse(report: Report, text: TextEvidence, memory: TextEvidence) -> Report:
    def weigh(finding: Finding) -> Finding:
        before, after = memory.flagged.get(finding.code), text.flagged.get(finding.code)
        if finding.severity < Severity.ERROR or before is None or after is None or after.count > before.count:
            return finding
        return replace(finding, severity=Severity.WARNING, message=f"{finding.message}; {AS_IN_MEMORY}")

    return replace(report, findings=tuple(weigh(finding) for finding in report.findings))
