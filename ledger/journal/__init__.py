"""The journal: an append-only file of entries, and the runs, notes and ratings read from them."""
