"""Guards on scores against a reference, with limits from the spec or the command line."""

from guards.guard import Guard
from guards.scores import low_bleu, low_chrf, low_comet, token_ratio, unusable_reference

GUARDS: tuple[Guard, ...] = (low_bleu, low_chrf, token_ratio)
# Only where COMET was asked for.
COMET: tuple[Guard, ...] = (low_comet,)
# What was given to score with.
GIVEN: tuple[Guard, ...] = (unusable_reference,)
