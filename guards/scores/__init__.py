"""Guards on scores against a reference, with limits from the spec or the command line."""

from guards.guard import Guard
from guards.scores import low_bleu, low_chrf, token_ratio

GUARDS: tuple[Guard, ...] = (low_bleu, low_chrf, token_ratio)
