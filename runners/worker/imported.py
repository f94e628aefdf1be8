"""Which installed distributions this process has really imported."""

import sys
from importlib.metadata import packages_distributions


def imported_distributions() -> list[str]:
    """Names of the distributions that the loaded modules belong to, sorted; the standard library has none."""
    owners = packages_distributions()
    packages = {name.partition(".")[0] for name in sys.modules}
    return sorted({owner for package in packages for owner in owners.get(package, ())})
