"""Disk space and memory: what a run needs, and what is free."""
