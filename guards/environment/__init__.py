"""Guards on the experiment's packages against the lockfile that its spec names."""

from guards.environment import altered_packages, pinned_versions
from guards.guard import Guard

GUARDS: tuple[Guard, ...] = (pinned_versions, altered_packages)
