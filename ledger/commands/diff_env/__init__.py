"""`ledger diff-env`."""
