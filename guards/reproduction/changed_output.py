"""REP001: the repeated run wrote another output."""

from collections.abc import Iterator

from guards.checkpoint.behaviour.changed_text import MOSTLY
from guards.checkpoint.behaviour.collapse import collapsed, points, same_measure
from guards.guard import Explanation
from ledger.evidence.reproduction import OutputTrace
from ledger.findings import Finding, Json, Severity, Skip

CODE = "REP001"
TITLE = "the output is not reproduced"
READS = (OutputTrace, OutputTrace)
EXPLANATION = Explanation(
    means="The run was repeated, and its output differs: how many lines, and where the first of them is. At "
    "the same data type and device every byte has to be the same. At another one a line may turn by "
    "rounding: then it is within tolerance where half of the lines are the same and BLEU did not collapse.",
    matters="A result that does not come again cannot be built upon, and a difference between two "
    "experiments that is no larger than this one means nothing.",
    do="See which packages and settings differ, in the tables of ledger reproduce. If none does: look for "
    "sampling, another number of threads, or a model on the hub that changed under its name.",
)
MOST_SHOWN = 3


def inspect(expected: OutputTrace, actual: OutputTrace) -> Iterator[Finding | Skip]:
    """Nothing where the files are the same; else what differs, and whether rounding may explain it."""
    if expected.sha256 == actual.sha256:
        return
    rounding = expected.device.differs_from(actual.device)
    if expected.lines is None or actual.lines is None:
        why = expected.unseen or actual.unseen
        message = f"another output than {expected.run}'s; where it differs cannot be told: {why}"
        yield _finding(Severity.ERROR, message, None, {"first": None})
        return
    differing = _differing(expected.lines, actual.lines)
    total = max(len(expected.lines), len(actual.lines))
    same = 1 - len(differing) / total if total else 1.0
    within = bool(rounding) and same >= MOSTLY and not _collapsed(expected, actual)
    said = _said(expected, actual, differing, total)
    said += f"; within tolerance: {rounding}" if within else f"; computed with {rounding}" if rounding else ""
    samples = [_sample(number, expected, actual) for number in differing[:MOST_SHOWN]]
    evidence = {"first": samples[0] if samples else None, "differing": len(differing), "lines": total}
    severity = Severity.INFO if within else Severity.ERROR
    yield _finding(severity, said, same, {**evidence, "samples": samples}, MOSTLY if rounding else 1.0)


def _finding(
    severity: Severity, message: str, same: float | None, evidence: dict[str, Json], threshold: float = 1.0
) -> Finding:
    return Finding(CODE, severity, message, measured=same, threshold=threshold, evidence=evidence)


def _differing(before: tuple[str, ...], after: tuple[str, ...]) -> list[int]:
    """The numbers, from 1, of the lines that are not the same; a line that one side lacks is not."""
    shared = min(len(before), len(after))
    unequal = [n + 1 for n in range(shared) if before[n] != after[n]]
    return unequal + list(range(shared + 1, max(len(before), len(after)) + 1))


def _said(before: OutputTrace, after: OutputTrace, differing: list[int], total: int) -> str:
    if not differing:
        return f"the lines are those of {before.run}, the bytes are not: line ends or a byte order mark"
    count = f"{len(differing):,} of {total:,} lines differ from {before.run}'s"
    lines = f"{count}, the first is line {differing[0]:,}"
    if before.bleu and after.bleu and same_measure(before.bleu, after.bleu):
        lines += f"; BLEU {points(after.bleu):.2f} of 100, {points(before.bleu):.2f} then"
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
