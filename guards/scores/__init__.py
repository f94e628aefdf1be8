"""Guards on scores against a reference: limits that a spec or a call has set."""

from guards.guard import Guard
from guards.scores import low_bleu, low_chrf, token_ratio

GUARDS: tuple[Guard, ...] = (low_bleu, low_chrf, token_ratio)
