"""Inspect, lock and build Python environments."""
