"""PRE001: the experiment that is about to run is already recorded."""

from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.identity import History, RunIdentity
from ledger.findings import Finding, Severity

CODE = "PRE001"
TITLE = "the same experiment is recorded already"
READS = (History, RunIdentity)
EXPLANATION = Explanation(
    means="A finished run on the record has the same inputs digest: the same resolved spec (without "
    "title, notes and output path) and the same data, byte for byte. Its name may be this experiment's or "
    "another one.",
    matters="Such a run costs GPU hours and gives no new result. One model has been tested under two names, "
    "which was only discovered when somebody compared the MD5 of the outputs.",
    do="Inspect the recorded run with: ledger show RUN. Make the change that you intended in the spec. To "
    "measure whether the result is reproducible, pass --again.",
)


def inspect(expected: History, actual: RunIdentity) -> Iterator[Finding]:
    """One finding for all finished runs (those with an output) of the same inputs."""
    same = [run for run in expected.runs if run.inputs == actual.inputs and run.run != actual.run]
    if not same:
        return
    # Oldest first, so the newest of each name remains.
    latest = {run.experiment: run for run in same}
    yield Finding(
        CODE,
        Severity.ERROR,
        f"{actual.experiment} {_earlier_runs(actual.experiment, latest)}; pass --again to repeat it",
        measured=len(same),
        threshold=0,
        evidence={
            "inputs": actual.inputs,
            "runs": [{"run": run.run, "experiment": run.experiment, "time": run.time} for run in same],
        },
    )


def _earlier_runs(experiment: str, latest: dict[str, RunIdentity]) -> str:
    own = latest.get(experiment)
    others = [run for name, run in latest.items() if name != experiment]
    parts = [f"was already run with the same inputs (last run {_run_and_day(own)})"] if own else []
    if others:
        names = " and ".join(f"{run.experiment} (last run {_run_and_day(run)})" for run in others)
        parts.append(
            f"is the same experiment as {names} under another name: "
            "same model, codes, generation settings and data"
        )
    return ", and ".join(parts)


def _run_and_day(run: RunIdentity) -> str:
    return f"{run.run} on {run.time[:10]}" if run.time else run.run
