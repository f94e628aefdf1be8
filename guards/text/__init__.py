"""Guards on the text of an output, line by line. One module per guard; `scan` collects their evidence."""

from guards.guard import Guard
from guards.text import contamination, empty, failed, length_ratio, off_target, punctuation, repetition

GUARDS: tuple[Guard, ...] = (
    repetition,
    punctuation,
    contamination,
    off_target,
    failed,
    empty,
    length_ratio,
)
