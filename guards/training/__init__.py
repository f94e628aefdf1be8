"""Guards on the health of a training, and on its plan before it starts."""

from guards.guard import Guard
from guards.training import (
    amp_scale_collapse,
    changed_defaults,
    contradicted_setting,
    exploding_gradients,
    family_not_improved,
    loss_spike,
    low_family_mean,
    non_finite_loss,
    nothing_learned,
    out_of_memory,
    unscaled_schedule,
    vanishing_gradients,
    worse_evaluation,
)

# Guards that need only a training's log; the others need the training to be monitored.
LOGGED: tuple[Guard, ...] = (
    non_finite_loss,
    exploding_gradients,
    vanishing_gradients,
    loss_spike,
    nothing_learned,
    worse_evaluation,
    contradicted_setting,
)
SERIES: tuple[Guard, ...] = (*LOGGED, amp_scale_collapse, out_of_memory)
PLAN: tuple[Guard, ...] = (unscaled_schedule, changed_defaults)
FAMILY: tuple[Guard, ...] = (family_not_improved, low_family_mean)
GUARDS: tuple[Guard, ...] = tuple(sorted(SERIES + PLAN + FAMILY, key=lambda guard: guard.CODE))
