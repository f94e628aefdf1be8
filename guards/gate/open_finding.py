"""GAT004: a run has an error that nobody accepted and no later run superseded."""

from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.gate import KnownRuns, OpenFindings, RunFindings
from ledger.findings import Finding, Severity
from ledger.utils.plural import and_more, besides_first

CODE = "GAT004"
TITLE = "an open finding that nobody accepted"
READS = (KnownRuns, OpenFindings)
EXPLANATION = Explanation(
    means="The newest finished run of an experiment has a recorded error that nobody accepted, or a later "
    "verification of one of its checkpoints in the run's own environment found one. It is a warning if the "
    "run is already in the base, and a note if a later run of the experiment has replaced it.",
    matters="In a table, a result with an open error looks like any other: nobody checks verdicts when they "
    "compile results.",
    do="Inspect it with: ledger show RUN, ledger explain CODE. Fix the cause and run it again, or record "
    "why it is acceptable: ledger accept RUN CODE --why ...",
)
MOST_NAMED = 3


def inspect(expected: KnownRuns, actual: OpenFindings) -> Iterator[Finding]:
    """Yield one finding for each run of this branch, one for all of the base, one for superseded runs."""
    newest = [run for run in actual.runs if run.successor is None]
    for run in newest:
        if run.run not in expected.runs:
            yield _own(run)
    inherited = [run for run in newest if run.run in expected.runs]
    if inherited:
        message = f"already open in {expected.base}: {_listed(inherited)}"
        yield Finding(
            CODE, Severity.WARNING, message, len(inherited), 0, {"runs": [r.run for r in inherited]}
        )
    replaced = [run for run in actual.runs if run.successor is not None and run.run not in expected.runs]
    if replaced:
        message = f"open, but replaced by a later run: {_listed(replaced)}"
        yield Finding(CODE, Severity.INFO, message, len(replaced), 0, {"runs": [r.run for r in replaced]})


def _own(run: RunFindings) -> Finding:
    first = run.findings[0]
    return Finding(
        CODE,
        Severity.ERROR,
        f"{run.run} has {first.code} open: {first.message}{besides_first(run.findings)}",
        measured=len(run.findings),
        threshold=0,
        evidence={"run": run.run, "codes": sorted({finding.code for finding in run.findings})},
    )


def _listed(runs: list[RunFindings]) -> str:
    shown = [f"{run.run} ({', '.join(sorted({f.code for f in run.findings}))})" for run in runs]
    return and_more(shown, MOST_NAMED)
