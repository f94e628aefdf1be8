"""Code that runs inside other people's Python processes, to record evidence of their checkpoints.

`startup` is found by that Python when it starts; the rest is loaded once a library with a trainer is
imported. Imports the standard library, that library, and `runners.worker`. None of its errors may reach the
program.
"""
