"""The report of all recorded runs as one page: its content as values, and its rendering.

`ledger.commands.report` collects the content.
"""
