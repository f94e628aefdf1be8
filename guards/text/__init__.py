"""Guards on the text of an output. One module per guard; `scan` collects their evidence."""

from guards.guard import Guard
from guards.text import (
    contamination,
    copied,
    cut_short,
    empty,
    failed,
    form,
    length_limit,
    length_ratio,
    model_talk,
    off_target,
    other_language,
    punctuation,
    repetition,
    same_output,
    shifted,
    truncated_source,
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
    other_language,
    same_output,
    shifted,
    model_talk,
    form,
)

# Known only of the text that our own generation writes.
GENERATED: tuple[Guard, ...] = (length_limit, truncated_source)
