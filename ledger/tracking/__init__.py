"""Tracking: a process of its own replays the journal and the run folders into MLflow.

A run only uses `series` and `sender`. MLflow is imported by `replay` alone, in the sender's process.
"""
