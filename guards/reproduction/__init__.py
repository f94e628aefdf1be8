"""Guards on a repeated run: is what it left the same as what the run left that it repeats?"""

from guards.guard import Guard
from guards.reproduction import same_exit, same_output, same_training

GUARDS: tuple[Guard, ...] = (same_output, same_training, same_exit)
