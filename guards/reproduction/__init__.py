"""Guards on a repeated run: differences of its output, training and exit code from the original run."""

from guards.guard import Guard
from guards.reproduction import changed_exit, changed_output, changed_training

GUARDS: tuple[Guard, ...] = (changed_output, changed_training, changed_exit)
