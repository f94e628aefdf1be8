"""The finding of a guard on claims: a warning with the experiments and lines that it is about."""

from collections.abc import Iterable

from ledger.findings import Finding, Json, Severity

SHOWN = 20


def contradiction(
    code: str,
    message: str,
    *,
    experiments: Iterable[str],
    lines: Iterable[int],
    measured: Json,
    threshold: Json = None,
) -> Finding:
    """One contradiction. It is a warning, since it is not known which statement is wrong."""
    numbers = sorted(set(lines))
    evidence: dict[str, Json] = {
        "experiments": [name for name in dict.fromkeys(experiments) if name],
        "lines": numbers[:SHOWN],
    }
    return Finding(code, Severity.WARNING, message, measured, threshold, evidence)


def at(lines: Iterable[int]) -> str:
    """`line 9`, `lines 9 and 12` or `lines 1, 2, 3 and 4 more`, in order, each once."""
    numbers = [str(number) for number in sorted(set(lines))]
    if len(numbers) > 4:
        numbers = [*numbers[:3], f"{len(numbers) - 3} more"]
    *first, last = numbers
    return f"lines {', '.join(first)} and {last}" if first else f"line {last}"


def shown(value: Json, *, rate: bool = False) -> str:
    """A value as text; a rate as a percentage."""
    if rate and isinstance(value, int | float):
        return f"{value * 100:.4g}%"
    return f"{value:g}" if isinstance(value, float) else str(value)
