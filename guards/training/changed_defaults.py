"""TRN008: a setting that nobody chose is not what it was in the last good run."""

from collections.abc import Iterator, Mapping

from guards.guard import Explanation
from ledger.environments.diff.settings import NO_MATTER
from ledger.evidence.training import EffectiveSettings
from ledger.findings import Finding, Severity
from ledger.utils.mapping_diff import Difference, differences, listed

CODE = "TRN008"
TITLE = "a default is not that of the last good run"
READS = (EffectiveSettings, EffectiveSettings)
EXPLANATION = Explanation(
    means="With every default filled in, a setting of the training, the model or its generation differs from "
    "the last good run's, and nobody chose it for this one. What only names paths, logs or uploads is left "
    "out.",
    matters="Defaults change between versions without a word: from transformers 4.57.6 to 5.0.0, use_cache "
    "and forced_eos_token_id among others. A difference is a lead, not a cause: use_cache, which was once "
    "blamed for a broken checkpoint, changes speed and not the text.",
    do="Write the value that you want into the spec, whichever it is: then it is chosen, and no version "
    "changes it. If all is well as it is, accept the finding.",
)
LEFT_OUT = NO_MATTER | {"report_to"}  # the ledger reports itself


def inspect(expected: EffectiveSettings, actual: EffectiveSettings) -> Iterator[Finding]:
    """Compare setting by setting, those that were chosen left out."""
    found = [
        difference
        for difference in differences(expected.settings, actual.settings)
        if difference.path not in actual.chosen and difference.path.rpartition(".")[2] not in LEFT_OUT
    ]
    if found:
        yield _finding(found, expected, actual)


def _finding(found: list[Difference], before: EffectiveSettings, after: EffectiveSettings) -> Finding:
    count = (
        "1 setting that nobody chose is"
        if len(found) == 1
        else f"{len(found)} settings that nobody chose are"
    )
    versions = _versions(before.versions, after.versions)
    return Finding(
        CODE,
        Severity.WARNING,
        f"{count} not what the last good run, {before.run}, had{versions}: {listed(found, most=6)}",
        measured=len(found),
        threshold=0,
        evidence={"last_good": before.run, "differences": [one.to_json() for one in found]},
    )


def _versions(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    both = [name for name in sorted(before.keys() & after.keys()) if before[name] != after[name]]
    changed = ", ".join(f"{name} {before[name]} -> {after[name]}" for name in both)
    return f" ({changed})" if changed else ""
