"""Tracking: events go to a spool on disk, and a process of its own sends them to MLflow.

A run only ever touches `events` and `spool`. MLflow is imported by `upload` alone, in the sender's process.
"""
