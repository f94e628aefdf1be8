"""Guards on a written log: statements that contradict each other.

They do not depend on the language of the log, and do not decide which side of a contradiction is wrong.
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
