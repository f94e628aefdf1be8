"""What runs inside somebody else's Python process, to guard the saves of the trainings in it.

`startup` is found by that Python when it starts; the rest is loaded once a library with a trainer is
imported. Standard library, that library, and `runners.worker`. No error of ours may reach the user's program.
"""
