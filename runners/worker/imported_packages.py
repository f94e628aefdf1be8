"""Which installed distributions this process has really imported."""

import re
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import distribution, packages_distributions

OWN = "runners"  # the worker itself, which does not belong to the experiment's environment


def imported_distributions() -> tuple[str, ...]:
    """Names of the distributions that the loaded modules belong to, sorted; the standard library has none."""
    owners = _owners()
    loaded = {name.partition(".")[0] for name, module in sys.modules.items() if module is not None}
    found: set[str] = set()
    for package in (loaded - {OWN}) & owners.keys():
        names = set(owners[package])
        # Several distributions share a namespace such as `google`: those count whose own files are loaded.
        found |= names if len(names) == 1 else {name for name in names if _has_loaded_files(name, package)}
    # As PEP 503 writes names, and lockfiles with it.
    return tuple(sorted(re.sub(r"[-_.]+", "-", name).lower() for name in found))


@cache
def _owners() -> Mapping[str, list[str]]:
    """The distributions of each top-level module: half a second, and the same while the process lives."""
    return packages_distributions()


def _has_loaded_files(name: str, package: str) -> bool:
    modules = [
        module for key, module in list(sys.modules.items()) if key == package or key.startswith(f"{package}.")
    ]
    return not _files(name).isdisjoint(getattr(module, "__file__", None) for module in modules)


@cache
def _files(name: str) -> frozenset[str]:
    installed = distribution(name)
    return frozenset(str(installed.locate_file(file)) for file in installed.files or ())
