"""All guards, by family: the list that commands, documentation and tests use.

A new guard is a module in its family's package, an item of that package's GUARDS, and a table of tests.
"""

from guards import (
    checkpoint,
    claims,
    environment,
    gate,
    identity,
    journal,
    preflight,
    reproduction,
    scores,
    text,
    training,
)
from guards.guard import Guard

PREFLIGHT: tuple[Guard, ...] = (*identity.BEFORE, *preflight.GUARDS)
TEXT: tuple[Guard, ...] = text.GUARDS
SCORES: tuple[Guard, ...] = scores.GUARDS
GIVEN: tuple[Guard, ...] = scores.GIVEN
IDENTITY: tuple[Guard, ...] = identity.AFTER
TRAINED: tuple[Guard, ...] = identity.TRAINED
ENVIRONMENT: tuple[Guard, ...] = (*environment.GUARDS, *environment.DIFFERENCES)
CHECKPOINT: tuple[Guard, ...] = checkpoint.GUARDS
TRAINING: tuple[Guard, ...] = training.GUARDS
CLAIMS: tuple[Guard, ...] = claims.GUARDS
JOURNAL: tuple[Guard, ...] = (*journal.GUARDS, *journal.AGAINST_BASE)
REPRODUCTION: tuple[Guard, ...] = reproduction.GUARDS
GATE: tuple[Guard, ...] = gate.GUARDS

FAMILIES: dict[str, tuple[Guard, ...]] = {
    "preflight": PREFLIGHT,
    "environment": ENVIRONMENT,
    "text": TEXT,
    "scores": (*SCORES, *GIVEN),
    "identity": (*IDENTITY, *TRAINED),
    "checkpoint": CHECKPOINT,
    "training": TRAINING,
    "journal": JOURNAL,
    "claims": CLAIMS,
    "reproduction": REPRODUCTION,
    "gate": GATE,
}
ALL: tuple[Guard, ...] = tuple(guard for family in FAMILIES.values() for guard in family)
BY_CODE: dict[str, Guard] = {guard.CODE: guard for guard in ALL}
