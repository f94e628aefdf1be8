"""DUP003: the same inputs in the same environment gave a different output."""

from collections.abc import Iterator

from guards.guard import Explanation
from guards.identity.outputs import digest_shown, same_output
from ledger.evidence.identity import History, RunIdentity
from ledger.findings import Finding, Severity, Skip

CODE = "DUP003"
TITLE = "an earlier run of the same inputs is not reproduced"
READS = (History, RunIdentity)
EXPLANATION = Explanation(
    means="An earlier run had the same inputs digest and the same environment digest, and a different "
    "output.",
    matters="The output depends on something that no digest covers: sampling without a seed, other hardware "
    "or batch sizes, a model on the hub that changed under its name, a file outside the spec. A difference "
    "between two experiments that is not larger than this one means nothing.",
    do="Compare the two runs' machine, batch sizes and model revision with: ledger show RUN. Pin the "
    "model's revision and the seed in the spec.",
)


def inspect(expected: History, actual: RunIdentity) -> Iterator[Finding | Skip]:
    """Name the newest earlier run of the same inputs and environment whose output differs."""
    if not actual.output:
        yield Skip(CODE, "the run has no output to compare")
        return
    same_inputs = [
        run
        for run in expected.runs
        if run.run != actual.run and run.inputs == actual.inputs and same_output(run, actual) is not None
    ]
    if same_inputs and actual.environment is None:
        yield Skip(CODE, "the environment of the run is unknown")
        return
    comparable = [run for run in same_inputs if run.environment == actual.environment]
    differing = [run for run in comparable if not same_output(run, actual)]
    if differing:
        last = differing[-1]
        yield Finding(
            CODE,
            Severity.WARNING,
            f"not reproduced: {last.run} had the same inputs and the same environment, and its output "
            f"({digest_shown(last.output)}) differs from this one ({digest_shown(actual.output)})",
            measured=len(differing),
            threshold=0,
            evidence={"runs": [run.run for run in differing], "compared": len(comparable)},
        )
