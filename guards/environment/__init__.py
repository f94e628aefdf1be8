"""Guards on environments: the installed packages against a lockfile, and two environments compared."""

from guards.environment import (
    altered_packages,
    changed_interpreter,
    changed_packages,
    changed_settings,
    minor_differences,
    version_drift,
)
from guards.guard import Guard

GUARDS: tuple[Guard, ...] = (version_drift, altered_packages)
DIFFERENCES: tuple[Guard, ...] = (changed_packages, changed_interpreter, changed_settings, minor_differences)
