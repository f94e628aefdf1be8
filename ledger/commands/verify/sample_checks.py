"""The text guards on a checkpoint's sample, compared with the output of the model in memory."""

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

# It takes 919 lines to see a fault in 0.5% of all lines at least once (99% sure). With fewer lines only a
# collapse is reported.
ENOUGH_LINES = 919
COLLAPSE = 0.25
AS_IN_MEMORY = "the model in memory did the same when it was saved: nothing was lost"


def inspect_sample(
    sample: Sample | None, memory: Sample | None, unseen: Unobserved
) -> tuple[Report, TextEvidence | None]:
    """The text guards' report on a reloaded model's sample.

    A fault that the model in memory had in at least as many of the same lines is only a warning: it comes
    from the training, not from saving. `unseen`: why there is no sample.
    """
    if sample is None:
        return inspect(registry.TEXT, Evidence(), Evidence().including(TextEvidence, unseen)), None
    text = _scan(sample)
    report = inspect(registry.TEXT, Evidence(_limits(text.lines)), Evidence(text))
    if memory is not None and memory.source == sample.source:
        report = _lower_severity(report, text, _scan(memory))
    return report, text


def _scan(sample: Sample) -> TextEvidence:
    reference = sample.reference if sample.reference and len(sample.reference) == len(sample.output) else None
    return scan(
        sample.output,
        source=sample.source,
        reference=reference,
        language=sample.language,
        markers=DEFAULT_MARKERS,
    )


def _limits(lines: int) -> TextLimits:
    if lines >= ENOUGH_LINES:
        return TextLimits(DEFAULT_MAX_RATE)
    rates: Mapping[str, float] = {code: max(rate, COLLAPSE) for code, rate in DEFAULT_MAX_RATE.items()}
    return TextLimits(rates)


def _lower_severity(report: Report, text: TextEvidence, memory: TextEvidence) -> Report:
    def lower(finding: Finding) -> Finding:
        before, after = memory.flagged.get(finding.code), text.flagged.get(finding.code)
        if finding.severity < Severity.ERROR or before is None or after is None or after.count > before.count:
            return finding
        return replace(finding, severity=Severity.WARNING, message=f"{finding.message}; {AS_IN_MEMORY}")

    return replace(report, findings=tuple(lower(finding) for finding in report.findings))
