"""`ledger reproduce RUN`: what it takes, running it again, comparing, and writing down what came of it."""
