"""`ledger verify`."""
