"""The record as one page to look at or to commit: what stands on it, and how it is drawn.

Values and drawing only; `ledger.commands.report` gathers them.
"""
