import pytest

from ledger.tracking.errors import LONGEST, reason, scrub_text

REFUSED = (
    "API request to http://ann:pw@127.0.0.1:9/api/2.0/mlflow/experiments/search failed with exception "
    "HTTPConnectionPool(host='127.0.0.1', port=9): Max retries exceeded (Caused by NewConnectionError("
    '"Failed to establish a new connection: [Errno 111] Connection refused"))'
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (REFUSED, "connection refused: no server listens there"),
        (
            "API request to http://x failed with timeout exception Read timed out.",
            "the server did not answer in time",
        ),
        ("[Errno -3] Temporary failure in name resolution", "unknown host"),
        ("(sqlite3.OperationalError) database or disk is full\n[SQL: INSERT …]", "no space left on the disk"),
        ("(sqlite3.OperationalError) unable to open database file", "the database file cannot be opened"),
        ("PERMISSION_DENIED: no\nmore lines", "PERMISSION_DENIED: no"),
        ("", "ValueError"),
    ],
)
def test_a_reason_is_one_plain_line(text, says):
    assert reason(ValueError(text), {}) == says


def test_a_reason_is_short():
    assert len(reason(ValueError("x" * 5000), {})) == LONGEST


@pytest.mark.parametrize(
    "text",
    [
        "https://ann:hunter2@mlflow.lab/path?token=hunter2 said no",
        "(psycopg2.OperationalError) postgresql://ann:hunter2@db/mlflow",
        "401 for token hunter2",
    ],
)
def test_no_secret_gets_through(text):
    assert "hunter2" not in scrub_text(text, {"MLFLOW_TRACKING_TOKEN": "hunter2"})
    assert "hunter2" not in reason(ValueError(text), {"MLFLOW_TRACKING_TOKEN": "hunter2"})
