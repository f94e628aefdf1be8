"""Guards on how a training goes, and on what it is set to do before it starts."""

from guards.guard import Guard
from guards.training import (
    amp_scale,
    changed_defaults,
    exploding_gradients,
    family_improved,
    family_mean,
    finite_loss,
    loss_spike,
    out_of_memory,
    unscaled_schedule,
    vanishing_gradients,
)

# What a log alone tells; the others need somebody who watched.
LOGGED: tuple[Guard, ...] = (finite_loss, exploding_gradients, vanishing_gradients, loss_spike)
SERIES: tuple[Guard, ...] = (*LOGGED, amp_scale, out_of_memory)
PLAN: tuple[Guard, ...] = (unscaled_schedule, changed_defaults)
FAMILY: tuple[Guard, ...] = (family_improved, family_mean)
GUARDS: tuple[Guard, ...] = SERIES + PLAN + FAMILY
