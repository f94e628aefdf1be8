"""Disk and memory."""
