"""CKP007: the reloaded model's translations of the same lines differ from those at the save."""

from collections.abc import Iterator
from itertools import zip_longest

from guards.checkpoint.behaviour.generation_settings import text_differences
from guards.checkpoint.skips import unseen
from guards.checkpoint.tensors.precision import Agreement, agreement
from guards.guard import Explanation
from ledger.evidence.snapshot import Sample, Snapshot
from ledger.findings import Finding, Severity, Skip
from ledger.utils.plural import count

CODE = "CKP007"
TITLE = "the generated text differs from that at the save"
READS = (Snapshot, Snapshot)
EXPLANATION = Explanation(
    means="Greedy translations of the same lines differ from those of the training process. If the logits "
    "are bit-equal and the settings the same, every line must be the same. Where rounding or other settings "
    "explain a difference, the share of identical lines is reported.",
    matters="Text is what the model is for, and a tokenizer that decodes differently shows in nothing "
    "else. But rounding can change a line without harm: a good float32 model cast to bfloat16 went from BLEU "
    "98.2 to 97.8.",
    do="Read CKP003, CKP005, CKP006, CKP008 and CKP009: one of them names the cause. If none does, compare "
    "the lines, and check for sampling or another number of threads.",
)
# A smaller share of identical lines gives a warning even where rounding may explain it.
MOSTLY = 0.5
MOST_SHOWN = 3


def inspect(expected: Snapshot, actual: Snapshot) -> Iterator[Finding | Skip]:
    """Count the lines that differ; the severity depends on what could explain them."""
    before, after = expected.sample, actual.sample
    if before is None or after is None:
        yield unseen(CODE, "sample", expected, actual)
    elif before.source != after.source:
        yield Skip(CODE, "different lines were translated at the save", required=True)
    elif not before.source:
        yield Skip(CODE, "no lines were translated")
    elif before.output != after.output:
        yield _finding(expected, actual, before, after)


def _finding(expected: Snapshot, actual: Snapshot, before: Sample, after: Sample) -> Finding:
    lines = len(before.source)
    texts = zip_longest(before.source, before.output, after.output)
    differing = [(number, *line) for number, line in enumerate(texts, 1) if line[1] != line[2]]
    same = max(0.0, 1 - len(differing) / lines)
    severity, why = _weigh(same, expected, actual)
    return Finding(
        CODE,
        severity,
        f"{round(same * lines)} of {count(lines, 'line')} are the same as at the save; {why}",
        measured=same,
        threshold=1.0,
        evidence={
            "lines": lines,
            "samples": [
                {"line": number, "source": source, "before": old, "after": new}
                for number, source, old, new in differing[:MOST_SHOWN]
            ],
        },
    )


def _weigh(same: float, expected: Snapshot, actual: Snapshot) -> tuple[Severity, str]:
    logits = agreement(expected, actual)
    if logits is Agreement.BEYOND:
        return Severity.ERROR, "the logits differ by more than rounding explains"
    if _other_settings(expected, actual):
        return Severity.WARNING, "they were generated with different settings"
    if logits is Agreement.EQUAL:
        return Severity.ERROR, "with bit-equal logits and the same settings, all lines should be"
    if logits is Agreement.UNKNOWN:
        return Severity.WARNING, "the logits, which could explain it, were not compared"
    explained = "the logits differ within the tolerance, which can change a line"
    return (Severity.INFO if same >= MOSTLY else Severity.WARNING), explained


def _other_settings(expected: Snapshot, actual: Snapshot) -> bool:
    settings = [side.sample.settings if side.sample else {} for side in (expected, actual)]
    configs = [side.effective.generation if side.effective else None for side in (expected, actual)]
    if settings[0] != settings[1]:
        return True
    return (
        configs[0] is not None and configs[1] is not None and bool(text_differences(configs[0], configs[1]))
    )
