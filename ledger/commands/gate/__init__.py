"""The gate before a merge: one module for each check, what they look at, and the forms of the answer."""
