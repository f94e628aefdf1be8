"""Scores, significance, comparisons."""
