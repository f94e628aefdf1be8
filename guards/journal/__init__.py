"""Guards on the journal: nothing in it was changed, lost, doubled or moved. All but one read `journal`."""

from guards.guard import Guard
from guards.journal import altered, append_only, duplicated, misplaced, missing, not_an_entry, torn_tail

# The file in itself, and the heads that are remembered of it.
GUARDS: tuple[Guard, ...] = (altered, missing, duplicated, misplaced, torn_tail, not_an_entry)
# Against another branch's.
AGAINST_BASE: tuple[Guard, ...] = (append_only,)
