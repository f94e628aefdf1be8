"""Guards on packages: the experiment's own against its lockfile, and two environments against each other."""

from guards.environment import (
    altered_packages,
    effective_settings,
    imported_packages,
    interpreter,
    pinned_versions,
    soft_differences,
)
from guards.guard import Guard

GUARDS: tuple[Guard, ...] = (pinned_versions, altered_packages)
DIFFERENCES: tuple[Guard, ...] = (imported_packages, interpreter, effective_settings, soft_differences)
