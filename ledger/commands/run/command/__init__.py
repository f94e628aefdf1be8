"""`ledger run -- CMD`: any command, and the checkpoints it saves."""
