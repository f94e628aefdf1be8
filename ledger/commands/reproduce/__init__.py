"""`ledger reproduce RUN`: check the prerequisites, repeat the run, compare, and record the result."""
