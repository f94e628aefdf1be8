"""How a run asks for a sender: it touches a file, and a sender that still waits holds a lock next to it.

Used inside a run, so no heavy import.
"""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from filelock import FileLock, Timeout

from ledger.tracking.status import tracking_folder

SETTINGS = ("MLFLOW_", "DATABRICKS_", "AWS_", "AZURE_", "GOOGLE_")


def request_file(root: Path, environment: Mapping[str, str]) -> Path:
    """The file for requests from this environment: another destination has another file, and another sender.

    Its name holds a digest that is too short to find a password by it.
    """
    settings = sorted(item for item in environment.items() if item[0].startswith(SETTINGS))
    digest = sha256(repr(settings).encode("utf-8", "surrogateescape")).hexdigest()
    return tracking_folder(root) / f"request-{digest[:6]}"


def request_lock(request: Path) -> FileLock:
    """Held by the sender that serves the requests."""
    return FileLock(request.with_name(f"{request.name}.lock"))


def is_served(request: Path) -> bool:
    """Whether a sender waits for requests. Where none does, the caller starts one.

    One that is just starting may find the lock taken by this test and leave: the caller's own serves both.
    """
    try:
        with request_lock(request).acquire(blocking=False):
            return False
    except Timeout:
        return True
