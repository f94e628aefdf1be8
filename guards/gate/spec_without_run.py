"""GAT001: a changed spec has no finished, passing run."""

from collections.abc import Iterator, Sequence

from guards.guard import Explanation
from ledger.evidence.gate import FIRST_COMMIT, ChangedSpec, ChangedSpecs, SpecRun, SpecRuns
from ledger.findings import Finding, Severity

CODE = "GAT001"
TITLE = "a changed spec without a finished, passing run"
READS = (ChangedSpecs, SpecRuns)
EXPLANATION = Explanation(
    means="A spec is new, or describes a different run than in the base, and the journal has no finished, "
    "passing real run with this spec digest (title, notes, status and output path do not count). If the "
    "experiment was never run for real, a rehearsal by the gate itself is sufficient (ledger gate "
    "--rehearse) and is reported as such. A spec with status: planned needs no run.",
    matters="A spec that was never run looks like the others, and a number in a table that belongs to the "
    "old spec is easily attributed to the new one.",
    do="Run it: ledger run EXPERIMENT, and commit the journal. Without a GPU: ledger gate --rehearse, or "
    "set status: planned in the spec. If its run did not pass, see ledger show EXPERIMENT.",
)


def inspect(expected: ChangedSpecs, actual: SpecRuns) -> Iterator[Finding]:
    """Yield one finding for each changed spec without such a run; a note if a rehearsal passed instead."""
    for spec in expected.specs:
        runs = [run for run in actual.runs if run.digest == spec.digest]
        if not any(run.passed and not run.now for run in runs):
            yield _judge(spec, runs, expected.base, _earlier(spec, actual.runs))


def _earlier(spec: ChangedSpec, runs: Sequence[SpecRun]) -> SpecRun | None:
    """The newest real run of the experiment, with any version of its spec."""
    own = [run for run in runs if run.experiment == spec.experiment and not run.now]
    return own[-1] if own else None


def _judge(spec: ChangedSpec, runs: Sequence[SpecRun], base: str, earlier: SpecRun | None) -> Finding:
    where = "first commit" if base == FIRST_COMMIT else f"against {base}"
    what = f"{spec.experiment} {'is new' if spec.is_new else 'runs something else'} ({where})"
    real = [run for run in runs if not run.now]
    rehearsal = next((run for run in runs if run.now), None)
    if spec.problem:
        return _error(spec, f"{spec.experiment} cannot be read: {spec.problem}")
    if real:
        return _error(spec, f"{what}; its run {real[-1].run} did not pass{_codes(real[-1])}")
    if earlier:
        return _error(spec, f"{what} and was not run since: {earlier.run} ran another version of the spec")
    if rehearsal and rehearsal.passed:
        message = f"{what}, was never run for real, and passed a rehearsal made just now ({rehearsal.run})"
        return Finding(CODE, Severity.INFO, message, evidence={"digest": spec.digest, "run": rehearsal.run})
    if rehearsal and rehearsal.problem:
        return _error(spec, f"{what}, and could not be rehearsed: {rehearsal.problem}")
    if rehearsal:
        return _error(spec, f"{what}; the rehearsal made just now did not pass{_codes(rehearsal)}")
    if spec.planned:
        return Finding(CODE, Severity.INFO, f"{what} and planned: it needs no run yet")
    return _error(spec, f"{what} and has no finished run; run it, or rehearse it with --rehearse")


def _codes(run: SpecRun) -> str:
    return f": {', '.join(run.codes)}" if run.codes else ""


def _error(spec: ChangedSpec, message: str) -> Finding:
    evidence = {"experiment": spec.experiment, "digest": spec.digest or None}
    return Finding(CODE, Severity.ERROR, message, measured=0, threshold=1, evidence=evidence)
