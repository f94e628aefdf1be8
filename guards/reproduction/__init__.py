"""Guards on a repeated run: is what it left the same as what the run left that it repeats?"""

from guards.guard import Guard
from guards.reproduction import changed_exit, changed_output, changed_training

GUARDS: tuple[Guard, ...] = (changed_output, changed_training, changed_exit)
