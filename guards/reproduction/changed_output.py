"""REP001: the repeated run wrote a different output."""

from collections.abc import Iterator

from guards.checkpoint.behaviour.changed_text import MOSTLY
from guards.checkpoint.behaviour.collapse import collapsed, points, same_measure
from guards.guard import Explanation
from ledger.evidence.reproduction import OutputTrace
from ledger.findings import Finding, Json, Severity, Skip
from ledger.utils.plural import count

CODE = "REP001"
TITLE = "the output is not reproduced"
READS = (OutputTrace, OutputTrace)
EXPLANATION = Explanation(
    means="The run was repeated, and its output differs: the finding counts the lines and names the first. "
    "With the same data type and device every byte has to be equal. Otherwise rounding may change a line: "
    "the output is within tolerance if half of the lines are equal and BLEU did not collapse.",
    matters="A result that cannot be reproduced is not reliable, and a difference between two experiments "
    "that is not larger than this one means nothing.",
    do="Check which packages and settings differ, in the tables of ledger reproduce. If none do, the cause "
    "may be sampling, another number of threads, or a model on the hub that changed under its name.",
)
MOST_SHOWN = 3


def inspect(expected: OutputTrace, actual: OutputTrace) -> Iterator[Finding | Skip]:
    """Nothing if the files are equal; otherwise the differing lines, and whether rounding explains them."""
    if expected.sha256 == actual.sha256:
        return
    rounding = expected.device.differs_from(actual.device)
    if expected.lines is None or actual.lines is None:
        why = expected.unseen or actual.unseen
        message = f"the output differs from {expected.run}'s; the lines were not compared: {why}"
        yield _finding(Severity.ERROR, message, None, {"first": None})
        return
    differing = _differing(expected.lines, actual.lines)
    total = max(len(expected.lines), len(actual.lines))
    same = 1 - len(differing) / total if total else 1.0
    within = bool(rounding) and same >= MOSTLY and not _collapsed(expected, actual)
    message = _message(expected, actual, differing, total)
    message += (
        f"; within tolerance: {rounding}" if within else f"; computed with {rounding}" if rounding else ""
    )
    samples = [_sample(number, expected, actual) for number in differing[:MOST_SHOWN]]
    evidence = {"first": samples[0] if samples else None, "differing": len(differing), "lines": total}
    severity = Severity.INFO if within else Severity.ERROR
    yield _finding(severity, message, same, {**evidence, "samples": samples}, MOSTLY if rounding else 1.0)


def _finding(
    severity: Severity, message: str, same: float | None, evidence: dict[str, Json], threshold: float = 1.0
) -> Finding:
    return Finding(CODE, severity, message, measured=same, threshold=threshold, evidence=evidence)


def _differing(before: tuple[str, ...], after: tuple[str, ...]) -> list[int]:
    """The numbers, from 1, of the lines that differ or that one side lacks."""
    shared = min(len(before), len(after))
    unequal = [n + 1 for n in range(shared) if before[n] != after[n]]
    return unequal + list(range(shared + 1, max(len(before), len(after)) + 1))


def _message(before: OutputTrace, after: OutputTrace, differing: list[int], total: int) -> str:
    if not differing:
        return f"the lines equal those of {before.run}, but the bytes differ: line ends or a byte order mark"
    verb = "differs" if len(differing) == 1 else "differ"
    lines = f"{len(differing):,} of {count(total, 'line')} {verb} from {before.run}'s"
    lines += f", the first is line {differing[0]:,}"
    if before.bleu and after.bleu and same_measure(before.bleu, after.bleu):
        lines += f"; BLEU {points(after.bleu):.2f} of 100, {points(before.bleu):.2f} in that run"
    return lines


def _sample(number: int, before: OutputTrace, after: OutputTrace) -> dict[str, Json]:
    sides = {"source": before.source, "then": before.lines or (), "now": after.lines or ()}
    return {"line": number, **{name: _at(side, number) for name, side in sides.items()}}


def _at(lines: tuple[str, ...], number: int) -> str | None:
    return lines[number - 1] if number <= len(lines) else None


def _collapsed(before: OutputTrace, after: OutputTrace) -> bool:
    if before.bleu is None or after.bleu is None or not same_measure(before.bleu, after.bleu):
        return False
    return collapsed(points(before.bleu), points(after.bleu))
