"""Guards on what makes two runs the same: what went in before the run, what came out after it."""

from guards.guard import Guard
from guards.identity import (
    duplicate_experiment,
    duplicate_output,
    duplicate_training,
    not_reproduced,
    reproduced,
)

# What went in; known before the run.
BEFORE: tuple[Guard, ...] = (duplicate_experiment,)
# What came out.
AFTER: tuple[Guard, ...] = (duplicate_output, reproduced, not_reproduced)
# How a training went.
TRAINED: tuple[Guard, ...] = (duplicate_training,)
GUARDS = AFTER + BEFORE + TRAINED
