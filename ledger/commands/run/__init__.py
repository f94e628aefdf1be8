"""`ledger run`: experiments, and any command."""
