"""DUP001: the output is byte-identical to that of another experiment."""

from collections.abc import Iterator

from guards.guard import Explanation
from guards.identity.outputs import algorithm_shown, digest_shown, same_output
from ledger.evidence.identity import History, RunIdentity
from ledger.findings import Finding, Severity, Skip
from ledger.utils.mapping_diff import Difference, differences, listed

CODE = "DUP001"
TITLE = "the output is identical to another experiment's"
READS = (History, RunIdentity)
EXPLANATION = Explanation(
    means="The output's digests equal those of an earlier run with another name or other inputs. The "
    "finding names that run and the spec fields that differ, if any.",
    matters="Two experiments with the same output are the same experiment, or a changed parameter had no "
    "effect: it was overridden, misspelt for this library, or meaningless for this model. In either case "
    "the planned comparison was not made.",
    do="If the inputs are the same, delete one of the two. Otherwise compare the effective generation "
    "settings of both runs with: ledger show RUN. If equal outputs are intended, record that: ledger accept "
    "RUN DUP001 --why ...",
)


def inspect(expected: History, actual: RunIdentity) -> Iterator[Finding | Skip]:
    """Compare the output with every earlier one; one finding for each experiment and version of its spec."""
    if not actual.output:
        yield Skip(CODE, "the run has no output to compare")
        return
    duplicates: dict[tuple[str, str], RunIdentity] = {}
    for run in expected.runs:
        if run.run != actual.run and not _is_repeat(run, actual) and same_output(run, actual):
            duplicates[run.experiment, run.inputs] = run
    for run in duplicates.values():
        yield _finding(run, actual)


def _is_repeat(run: RunIdentity, actual: RunIdentity) -> bool:
    return run.experiment == actual.experiment and run.inputs == actual.inputs


def _finding(run: RunIdentity, actual: RunIdentity) -> Finding:
    fields = list(differences(run.spec, actual.spec))
    digest = digest_shown(actual.output)
    return Finding(
        CODE,
        Severity.WARNING,
        f"output is {algorithm_shown(actual.output)}-identical ({digest}) to {run.run}'s; "
        f"{_cause(run, actual, fields)}",
        measured=digest,
        evidence={
            "run": run.run,
            "experiment": run.experiment,
            "same_inputs": run.inputs == actual.inputs,
            "spec_differences": [field.to_json() for field in fields],
        },
    )


def _cause(run: RunIdentity, actual: RunIdentity, fields: list[Difference]) -> str:
    if run.inputs == actual.inputs:
        return "shared cause: the same inputs, that is model, codes, generation settings and data"
    if fields:
        return f"the specs differ in {listed(fields)}, which had no effect on the output"
    return "the specs are the same and the data differ, which had no effect on the output"
