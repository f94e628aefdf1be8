"""Where runs are sent: the tracking URI, made absolute, and shown without its secrets."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from ledger.utils.redaction import scrub_url

URI_VARIABLE = "MLFLOW_TRACKING_URI"

# One retry and eight seconds for an answer: a server that is down is reported within seconds, one that never
# answers within about twenty. MLflow's own 7 retries of 120 s would block for minutes.
DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "8",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # four more processes, which nothing here uses
}
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_ENABLE_ASYNC_LOGGING": "false",
}


@dataclass(frozen=True, slots=True)
class Destination:
    """One MLflow store, as seen from the repository at `root`."""

    root: Path
    uri: str

    @property
    def shown(self) -> str:
        """The URI without user, password, token and query, for messages and files."""
        return scrub_url(self.uri)

    @property
    def is_server(self) -> bool:
        """Whether a server, not this process, writes the database and the artifacts."""
        return not self.uri.startswith(("sqlite", "postgresql", "mysql", "mssql"))

    @property
    def is_http(self) -> bool:
        """Whether it serves pages that a browser can open."""
        return self.uri.startswith(("http://", "https://"))

    @property
    def artifacts(self) -> Path:
        """The folder of artifacts if no server stores them."""
        return self.root / ".ledger" / "mlartifacts"

    def artifact_location(self, experiment: str) -> str | None:
        """Where a new MLflow experiment stores its files; None leaves it to the server."""
        return None if self.is_server else (self.artifacts / quote(experiment, safe=" ()")).as_uri()


def find_destination(root: Path, environment: Mapping[str, str] | None = None) -> Destination:
    """`MLFLOW_TRACKING_URI`, or SQLite under `.ledger/`. A relative SQLite path is relative to `root`."""
    given = (os.environ if environment is None else environment).get(URI_VARIABLE, "").strip()
    uri = given or f"sqlite:///{root / '.ledger' / 'mlflow.db'}"
    scheme, _, path = uri.partition("///")
    if scheme.startswith("sqlite") and path and not path.startswith("/"):
        uri = f"sqlite:///{root / path}"
    return Destination(root, uri)


def mlflow_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a process that imports MLflow: quiet, with timeouts of seconds, not minutes.

    Timeouts that the user has set stay.
    """
    return {**DEFAULTS, **environment, **QUIET}
