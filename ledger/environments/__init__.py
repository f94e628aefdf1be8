"""Environments: lockfiles, captured environments, and how two of them differ."""
