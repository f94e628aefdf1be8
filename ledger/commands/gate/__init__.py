"""The gate before a merge: one module for each check, their shared context, and the output formats."""
