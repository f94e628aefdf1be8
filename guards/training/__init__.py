"""Guards on how a training goes, and on what it is set to do before it starts."""

from guards.guard import Guard
from guards.training import (
    amp_scale_collapse,
    changed_defaults,
    exploding_gradients,
    family_not_improved,
    loss_spike,
    low_family_mean,
    non_finite_loss,
    out_of_memory,
    unscaled_schedule,
    vanishing_gradients,
)

# What a log alone tells; the others need somebody who watched.
LOGGED: tuple[Guard, ...] = (non_finite_loss, exploding_gradients, vanishing_gradients, loss_spike)
SERIES: tuple[Guard, ...] = (*LOGGED, amp_scale_collapse, out_of_memory)
PLAN: tuple[Guard, ...] = (unscaled_schedule, changed_defaults)
FAMILY: tuple[Guard, ...] = (family_not_improved, low_family_mean)
GUARDS: tuple[Guard, ...] = SERIES + PLAN + FAMILY
