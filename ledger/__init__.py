"""The experiment ledger: what was run, in which environment, and whether the result can be believed.

`check`, `verify`, `compare` and `runs` are for programs and notebooks; `ledger.api` describes them.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ledger.api import check, compare, runs, verify

__version__ = "0.1.0"
__all__ = ["__version__", "check", "compare", "runs", "verify"]


def __getattr__(name: str) -> object:
    """Import the interface when it is first used: what it needs takes longer than a short program."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("ledger.api"), name)
