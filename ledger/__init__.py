"""The experiment ledger: what was run, in which environment, and whether the result can be believed."""

__version__ = "0.1.0"
