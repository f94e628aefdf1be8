"""CKP023: the scores of the evaluation belong to other weights or settings than those that were saved."""

from collections.abc import Iterator

from guards.checkpoint.behaviour.generation_settings import text_differences
from guards.checkpoint.formatting import listed
from guards.checkpoint.skips import untraced
from guards.guard import Explanation
from ledger.evidence.snapshot import Snapshot, TrainingTrace
from ledger.findings import Finding, Severity, Skip
from ledger.utils.mapping_diff import Difference
from ledger.utils.mapping_diff import listed as listed_differences
from ledger.utils.plural import count

CODE = "CKP023"
TITLE = "the evaluation was of other weights or settings"
READS = (Snapshot, Snapshot)
EXPLANATION = Explanation(
    means="The evaluation at the step of this checkpoint ran with parameters that are not the saved ones, "
    "such as a running mean of the weights. Or it generated with arguments that the saved "
    "generation_config does not have: the same call without arguments gives other text. A saved length "
    "limit that is higher than the one of the evaluation is sound.",
    matters="The score in the log is not that of the checkpoint. Averaged weights often score several "
    "points higher, and a saved max_length of 20 truncates what was evaluated with 128.",
    do="Save what was evaluated: swap the averaged weights in before the save as well, and put the "
    "arguments into model.generation_config. Or report the score with its arguments.",
)
LIMITS = {"max_length", "max_new_tokens"}


def inspect(expected: Snapshot, actual: Snapshot) -> Iterator[Finding | Skip]:  # noqa: ARG001
    """Compare the parameters, then the generation settings."""
    trace = expected.trace
    if trace is None:
        yield untraced(CODE, expected)
        return
    if trace.evaluated_otherwise:
        yield _other_weights(trace)
    if trace.evaluated_with and expected.effective is not None:
        saved = expected.effective.generation
        differences = text_differences(trace.evaluated_with, saved)
        if others := [one for one in differences if not (one.path in LIMITS and _is_higher(one))]:
            yield _other_settings(others)


def _is_higher(limit: Difference) -> bool:
    """Whether the saved limit is higher: a text that fitted at the evaluation still fits."""
    evaluated, saved = limit.before, limit.after
    return isinstance(evaluated, int) and (saved is None or (isinstance(saved, int) and saved > evaluated))


def _other_weights(trace: TrainingTrace) -> Finding:
    names = trace.evaluated_otherwise
    return Finding(
        CODE,
        Severity.WARNING,
        f"the evaluation at step {trace.step:,} had other values than the saved ones in "
        f"{count(len(names), 'parameter')}: {listed(names)}",
        measured=len(names),
        threshold=0,
        evidence={"parameters": sorted(names)},
    )


def _other_settings(differences: list[Difference]) -> Finding:
    return Finding(
        CODE,
        Severity.WARNING,
        "the evaluation generated with other settings than the saved ones (evaluation -> saved): "
        f"{listed_differences(differences, most=6)}",
        measured=len(differences),
        threshold=0,
        evidence={"differences": [one.to_json() for one in differences]},
    )
