"""Readers of what other tools and people recorded: a path in, `ledger.evidence.imported_claims.Claimed` out.

Nothing is written. A reader takes what can be read, says in `problems` what cannot, and raises
LedgerError where nothing can. It never unpickles, executes or fetches anything.
"""
