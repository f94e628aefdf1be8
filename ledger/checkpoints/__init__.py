"""Checkpoint folders: evidence, marks, provenance."""
