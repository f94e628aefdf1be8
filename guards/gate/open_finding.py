"""GAT004: an error that a guard found in a run was accepted, or a later run made good for it."""

from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.gate import KnownRuns, OpenFindings, RunFindings
from ledger.findings import Finding, Severity

CODE = "GAT004"
TITLE = "an open finding that nobody accepted"
READS = (KnownRuns, OpenFindings)
EXPLANATION = Explanation(
    means="The newest finished run of an experiment has an error on the record that nobody accepted, or one "
    "of its checkpoints has one since it was verified again in the run's own environment. It is a warning "
    "where the run was in the base already, and a note where a later run of the experiment has taken its "
    "place.",
    matters="A result with an open error next to sound ones reads like one of them: nobody looks at verdicts "
    "when a table is made.",
    do="See what it is: ledger show RUN, ledger explain CODE. Mend the cause and run it again, or say on the "
    "record why it may stay: ledger accept RUN CODE --why ...",
)
MOST_NAMED = 3


def inspect(expected: KnownRuns, actual: OpenFindings) -> Iterator[Finding]:
    """Yield one finding for each run of this branch, one for all of the base, one for those superseded."""
    newest = [run for run in actual.runs if run.successor is None]
    for run in newest:
        if run.run not in expected.runs:
            yield _own(run)
    inherited = [run for run in newest if run.run in expected.runs]
    if inherited:
        says = f"open in {expected.base} already: {_listed(inherited)}"
        yield Finding(CODE, Severity.WARNING, says, len(inherited), 0, {"runs": [r.run for r in inherited]})
    replaced = [run for run in actual.runs if run.successor is not None and run.run not in expected.runs]
    if replaced:
        says = f"open, but a later run took its place: {_listed(replaced)}"
        yield Finding(CODE, Severity.INFO, says, len(replaced), 0, {"runs": [r.run for r in replaced]})


def _own(run: RunFindings) -> Finding:
    first = run.findings[0]
    more = f" (and {len(run.findings) - 1} more)" if len(run.findings) > 1 else ""
    return Finding(
        CODE,
        Severity.ERROR,
        f"{run.run} has {first.code} open: {first.message}{more}",
        measured=len(run.findings),
        threshold=0,
        evidence={"run": run.run, "codes": sorted({finding.code for finding in run.findings})},
    )


def _listed(runs: list[RunFindings]) -> str:
    shown = [f"{run.run} ({', '.join(sorted({f.code for f in run.findings}))})" for run in runs[:MOST_NAMED]]
    more = f" and {len(runs) - MOST_NAMED} more" if len(runs) > MOST_NAMED else ""
    return ", ".join(shown) + more
