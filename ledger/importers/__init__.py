"""Readers of what other tools and people recorded: a path in, `ledger.evidence.imported_claims.Claimed` out.

Readers write nothing and never unpickle, execute or download anything. What they cannot read they list in
`problems`; they raise LedgerError if nothing can be read.
"""
