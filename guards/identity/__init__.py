"""Guards on what makes two runs the same: what went in before the run, what came out after it."""

from guards.guard import Guard
from guards.identity import known_experiment, not_reproduced, reproduced, twin_output

# What went in; known before the run.
BEFORE: tuple[Guard, ...] = (known_experiment,)
# What came out.
AFTER: tuple[Guard, ...] = (twin_output, reproduced, not_reproduced)
GUARDS = AFTER + BEFORE
