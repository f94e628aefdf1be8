"""Guards on what a written log claims: statements that contradict each other. All read the `log` slice.

They know nothing of the language that the log is written in, and settle nothing: which side of a
contradiction is wrong, the log does not tell.
"""

from guards.claims import (
    beyond_crash,
    counts,
    identical_outputs,
    means,
    off_scale,
    reused_number,
    same_size,
    two_outcomes,
    two_values,
    wrong_column,
)
from guards.guard import Guard

GUARDS: tuple[Guard, ...] = (
    two_values,
    identical_outputs,
    counts,
    means,
    beyond_crash,
    off_scale,
    two_outcomes,
    reused_number,
    wrong_column,
    same_size,
)
