"""The differences between two environments, most suspicious first.

`ranking` and `settings` compare; each `from_…` module reads one kind of side. Interpreters are run by
`ledger.commands.diff_env`.
"""
