"""Guards on the journal: nothing in it was changed, lost, doubled or moved. All read the `journal` slice."""

from guards.guard import Guard
from guards.journal import altered, duplicated, misplaced, missing, not_an_entry, torn_tail

GUARDS: tuple[Guard, ...] = (altered, missing, duplicated, misplaced, torn_tail, not_an_entry)
