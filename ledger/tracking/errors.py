"""Why something could not be sent, in one readable line without secrets. Pure."""

import os
import re
from collections.abc import Mapping

from ledger.utils import redaction
from ledger.utils.text import shorten

LONGEST = 300
SECRET_VARIABLES = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")

_PLAIN = (
    (re.compile(r"connection refused", re.I), "connection refused: no server listens there"),
    (re.compile(r"name resolution|name or service not known|nodename nor servname", re.I), "unknown host"),
    (re.compile(r"timeout exception|timed out", re.I), "the server did not answer in time"),
    (re.compile(r"database or disk is full|no space left", re.I), "no space left on the disk"),
    (re.compile(r"unable to open database file", re.I), "the database file cannot be opened"),
    (re.compile(r"database is locked", re.I), "the database is locked by another process"),
)


def reason(error: BaseException, environment: Mapping[str, str] | None = None) -> str:
    """The error in one line: in plain words if it is a common one, else its own first line."""
    text = scrub_text(str(error) or type(error).__name__, environment)
    for pattern, plain in _PLAIN:
        if pattern.search(text):
            return plain
    return shorten(text.strip().splitlines()[0], LONGEST)


def scrub_text(text: str, environment: Mapping[str, str] | None = None) -> str:
    """The text without secrets, including the values of MLflow's own secret variables."""
    values = os.environ if environment is None else environment
    for name in SECRET_VARIABLES:
        if secret := values.get(name, ""):
            text = text.replace(secret, "***")
    return redaction.scrub_text(text)
