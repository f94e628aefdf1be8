"""Packages that a plain installation does not have, and the extra that brings each."""

from importlib.util import find_spec

from ledger.errors import LedgerError

EXTRA_OF = {
    "pandas": "notebook",
    "mlflow": "mlflow",
    "in_toto_attestation": "export",
}


def is_installed(package: str) -> bool:
    """Whether an optional package can be imported."""
    return find_spec(package) is not None


def missing(package: str) -> LedgerError:
    """The error to raise where an optional package is needed and missing."""
    return LedgerError(
        f"this needs {package}, which is not installed",
        hint=f"install it with: pip install 'experiment-ledger[{EXTRA_OF[package]}]'",
    )


def require(package: str) -> None:
    """Raise LedgerError if an optional package is missing."""
    if not is_installed(package):
        raise missing(package)
