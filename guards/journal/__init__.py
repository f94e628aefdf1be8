"""Guards on the journal: nothing in it was changed, lost, doubled or moved."""

from guards.guard import Guard
from guards.journal import altered, append_only, duplicated, misplaced, missing, not_an_entry, torn_tail

# The file alone, and the newest entries that are known of it.
GUARDS: tuple[Guard, ...] = (altered, missing, duplicated, misplaced, torn_tail, not_an_entry)
# Compared with the journal of another branch.
AGAINST_BASE: tuple[Guard, ...] = (append_only,)
