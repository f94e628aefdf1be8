"""The record: an append-only file of entries, and what they amount to."""
