from pathlib import Path

import pytest

from ledger.tracking.destination import find_destination, mlflow_environment

ROOT = Path("/repo")


@pytest.mark.parametrize(
    ("given", "uri", "shown", "is_server"),
    [
        ("", "sqlite:////repo/.ledger/mlflow.db", "sqlite:////repo/.ledger/mlflow.db", False),
        ("  ", "sqlite:////repo/.ledger/mlflow.db", "sqlite:////repo/.ledger/mlflow.db", False),
        ("sqlite:///team.db", "sqlite:////repo/team.db", "sqlite:////repo/team.db", False),
        ("sqlite:////data/team.db", "sqlite:////data/team.db", "sqlite:////data/team.db", False),
        ("postgresql://u:p@db/m", "postgresql://u:p@db/m", "postgresql://db/m", False),
        ("https://u:p@m.lab:5000/x?k=v", "https://u:p@m.lab:5000/x?k=v", "https://m.lab:5000/x", True),
        ("databricks", "databricks", "databricks", True),
    ],
)
def test_where_events_go(given, uri, shown, is_server):
    destination = find_destination(ROOT, {"MLFLOW_TRACKING_URI": given})
    assert (destination.uri, destination.shown, destination.is_server) == (uri, shown, is_server)


def test_a_server_keeps_its_own_artifacts():
    local = find_destination(ROOT, {})
    assert (
        local.artifact_location("exp7 (rehearsal)")
        == "file:///repo/.ledger/mlartifacts/exp7%20%28rehearsal%29"
    )
    assert find_destination(ROOT, {"MLFLOW_TRACKING_URI": "http://m"}).artifact_location("exp7") is None


def test_limits_of_the_user_stand_and_telemetry_does_not():
    environment = mlflow_environment(
        {"MLFLOW_HTTP_REQUEST_TIMEOUT": "99", "MLFLOW_DISABLE_TELEMETRY": "false"}
    )
    assert environment["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "99"
    assert environment["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "1"
    assert environment["MLFLOW_DISABLE_TELEMETRY"] == "true"
