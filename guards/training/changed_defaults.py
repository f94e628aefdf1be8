"""TRN008: a default differs from the value that the last good run had."""

from collections.abc import Iterator, Mapping

from guards.guard import Explanation
from ledger.environments.diff.settings import NO_MATTER
from ledger.evidence.training import EffectiveSettings
from ledger.findings import Finding, Severity
from ledger.utils.mapping_diff import Difference, differences, listed

CODE = "TRN008"
TITLE = "a default differs from the last good run"
READS = (EffectiveSettings, EffectiveSettings)
EXPLANATION = Explanation(
    means="With all defaults resolved, a setting of the training, the model or its generation differs from "
    "the last good run, although this run's spec does not set it. Settings that only name paths, logs or "
    "uploads are ignored.",
    matters="Defaults change silently between versions: from transformers 4.57.6 to 5.0.0, use_cache and "
    "forced_eos_token_id did, among others. A difference is a lead, not a cause: use_cache, once blamed for "
    "a broken checkpoint, changes the speed and not the text.",
    do="Write the value that you want into the spec, so that no version can change it. If the new default "
    "is fine, accept the finding.",
)
LEFT_OUT = NO_MATTER | {"report_to"}  # the ledger reports itself


def inspect(expected: EffectiveSettings, actual: EffectiveSettings) -> Iterator[Finding]:
    """Compare all settings that the user did not choose."""
    found = [
        difference
        for difference in differences(expected.settings, actual.settings)
        if difference.path not in actual.chosen and difference.path.rpartition(".")[2] not in LEFT_OUT
    ]
    if found:
        yield _finding(found, expected, actual)


def _finding(found: list[Difference], before: EffectiveSettings, after: EffectiveSettings) -> Finding:
    defaults = "1 default differs" if len(found) == 1 else f"{len(found)} defaults differ"
    versions = _versions(before.versions, after.versions)
    return Finding(
        CODE,
        Severity.WARNING,
        f"{defaults} from the last good run, {before.run}{versions}: {listed(found, most=6)}",
        measured=len(found),
        threshold=0,
        evidence={"last_good": before.run, "differences": [one.to_json() for one in found]},
    )


def _versions(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    both = [name for name in sorted(before.keys() & after.keys()) if before[name] != after[name]]
    changed = ", ".join(f"{name} {before[name]} -> {after[name]}" for name in both)
    return f" ({changed})" if changed else ""
