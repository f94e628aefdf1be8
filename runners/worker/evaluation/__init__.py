"""Scores that a model computes, in an environment of its own."""
