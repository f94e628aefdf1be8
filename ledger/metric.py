"""One score, with how it was computed: a number without that means little."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """One score with how it was computed. `value` is on `scale` (an inclusive range)."""

    value: float
    signature: str
    scale: tuple[float, float] = (0.0, 100.0)
