"""DUP002: the output is byte-identical to that of an earlier run of the same experiment."""

from collections.abc import Iterator

from guards.guard import Explanation
from guards.identity.outputs import digest_shown, same_output
from ledger.evidence.identity import History, RunIdentity
from ledger.findings import Finding, Severity, Skip

CODE = "DUP002"
TITLE = "an earlier run of the same experiment is reproduced"
READS = (History, RunIdentity)
EXPLANATION = Explanation(
    means="An earlier run with the same name and the same inputs wrote the same output, byte for byte.",
    matters="The result is reproducible, which is not self-evident: library, hardware and batch order can "
    "all change the text.",
    do="Nothing.",
)


def inspect(expected: History, actual: RunIdentity) -> Iterator[Finding | Skip]:
    """Name the newest earlier run that this one reproduces."""
    if not actual.output:
        yield Skip(CODE, "the run has no output to compare")
        return
    earlier = [
        run
        for run in expected.runs
        if run.run != actual.run
        and run.experiment == actual.experiment
        and run.inputs == actual.inputs
        and same_output(run, actual)
    ]
    if earlier:
        digest = digest_shown(actual.output)
        yield Finding(
            CODE,
            Severity.INFO,
            f"reproduced: output identical ({digest}) to {earlier[-1].run}'s of the same experiment",
            measured=digest,
            evidence={"runs": [run.run for run in earlier]},
        )
