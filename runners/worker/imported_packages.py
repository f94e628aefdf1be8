"""Which installed distributions this process has really imported."""

import re
import sys
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

OWN = "runners"  # the worker itself, which does not belong to the experiment's environment


def imported_distributions() -> tuple[str, ...]:
    """Names of the distributions that the loaded modules belong to, sorted; the standard library has none."""
    owners = packages_distributions()
    loaded = {name.partition(".")[0] for name, module in sys.modules.items() if module is not None}
    found: set[str] = set()
    for package in (loaded - {OWN}) & owners.keys():
        names = set(owners[package])
        # Several distributions share a namespace such as `google`: those count whose own files are loaded.
        found |= names if len(names) == 1 else {name for name in names if _has_loaded_files(name, package)}
    # As PEP 503 writes names, and lockfiles with it.
    return tuple(sorted(re.sub(r"[-_.]+", "-", name).lower() for name in found))


def _has_loaded_files(name: str, package: str) -> bool:
    loaded = {
        Path(file)
        for module in list(sys.modules.values())
        if getattr(module, "__name__", "").partition(".")[0] == package
        and (file := getattr(module, "__file__", None))
    }
    installed = distribution(name)
    return any(Path(str(installed.locate_file(file))) in loaded for file in installed.files or ())
