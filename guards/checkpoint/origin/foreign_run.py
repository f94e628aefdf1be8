"""CKP013: the checkpoint's files are older than the run, or name another run."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from guards.guard import Explanation
from ledger.evidence.provenance import Origin
from ledger.findings import Finding, Severity, Skip

CODE = "CKP013"
TITLE = "the checkpoint is older than the run, or belongs to another"
READS = (Origin, Origin)
EXPLANATION = Explanation(
    means="The checkpoint was written before the run started (by the time in its evidence, or that of its "
    "newest weights file), or its evidence names another run.",
    matters="An output folder that is used twice still holds the checkpoints of the first run, under names "
    "that the second would use. Their scores would be attributed to the wrong experiment.",
    do="Verify it under its own run: ledger log shows which one was running at that time. Give each run "
    "its own output folder.",
)
# Tolerance between two clocks: that of the machine that started the run, and that of a network share.
CLOCKS = timedelta(seconds=60)


def inspect(expected: Origin, actual: Origin) -> Iterator[Finding | Skip]:
    """Compare the names of the runs, then the times."""
    named = expected.run is not None and actual.run is not None
    if named and expected.run != actual.run:
        yield Finding(
            CODE,
            Severity.ERROR,
            f"the checkpoint belongs to {actual.run}, not to {expected.run}",
            measured=actual.run,
            threshold=expected.run,
        )
    started, written = _time(expected.started), _time(actual.written)
    if started and written:
        if written < started - CLOCKS:
            yield _older(expected, actual)
    elif not named:
        yield Skip(CODE, "neither the checkpoint's run nor the times of both are known")


def _older(expected: Origin, actual: Origin) -> Finding:
    return Finding(
        CODE,
        Severity.ERROR,
        f"written at {actual.written}, before {expected.run or 'the run'} started at {expected.started}",
        measured=actual.written,
        threshold=expected.started,
        evidence={"run": expected.run},
    )


def _time(text: str | None) -> datetime | None:
    try:
        time = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return time.replace(tzinfo=UTC) if time and time.tzinfo is None else time
