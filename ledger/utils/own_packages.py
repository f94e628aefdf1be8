"""Imports of `ledger`, `guards` and `runners` find this project's packages, whatever else has these names.

A user's PYTHONPATH or current folder may well have a package called `guards`. As a script, this runs a module
of the project in a process of its own: `python -P own_packages.py MODULE ARGUMENTS`. Imports no other module.
"""

import runpy
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

PACKAGES = ("ledger", "guards", "runners")
_ROOT = Path(__file__).resolve().parents[2]


def load() -> None:
    """Load the packages of this project, unless they are loaded; of a package, only its `__init__`."""
    for name in PACKAGES:
        path = _ROOT / name / "__init__.py"
        loaded = getattr(sys.modules.get(name), "__file__", None)
        if loaded and Path(loaded).resolve() == path:
            continue
        spec = spec_from_file_location(name, path, submodule_search_locations=[str(path.parent)])
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])


def command(module: str) -> list[str]:
    """The beginning of a command line that runs a module of the project as `python -m` would."""
    return [sys.executable, "-P", str(Path(__file__).resolve()), module]


if __name__ == "__main__":
    load()
    _, wanted, *arguments = sys.argv
    sys.argv = [wanted, *arguments]
    runpy.run_module(wanted, run_name="__main__", alter_sys=True)
