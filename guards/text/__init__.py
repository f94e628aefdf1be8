"""Guards on the text of an output. One module per guard; `scan` collects their evidence."""

from guards.guard import Guard
from guards.text import (
    contamination,
    copied,
    cut_short,
    empty,
    failed,
    form,
    length_ratio,
    model_talk,
    off_target,
    punctuation,
    repetition,
    same_output,
    shifted,
    unfinished,
)

GUARDS: tuple[Guard, ...] = (
    repetition,
    punctuation,
    contamination,
    off_target,
    failed,
    empty,
    length_ratio,
    copied,
    cut_short,
    unfinished,
    same_output,
    shifted,
    model_talk,
    form,
)
