"""What differs between two environments, most suspicious first, and what each side of that is read from.

`side` is what is compared, `rank` how; the other modules read one kind of side each. Interpreters and built
environments are read in `ledger.commands.diff_env.compare`: that takes a process.
"""
