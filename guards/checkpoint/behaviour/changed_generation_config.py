"""CKP009: the checkpoint would generate with settings other than those at the save."""

from collections.abc import Iterator

from guards.checkpoint.behaviour.generation_settings import other_differences, text_differences
from guards.checkpoint.skips import unseen
from guards.guard import Explanation
from ledger.evidence.snapshot import Snapshot
from ledger.findings import Finding, Severity, Skip
from ledger.utils.mapping_diff import listed

CODE = "CKP009"
TITLE = "the generation configuration differs"
READS = (Snapshot, Snapshot)
EXPLANATION = Explanation(
    means="With all defaults resolved, a setting that decides the text (first token, language, length, "
    "search, penalties) differs from the save. Settings that only change the speed, such as use_cache, give "
    "a note.",
    matters="Neither tensor digests nor logits can show it: the model is the same, but generation is asked "
    "for something else. A wrong forced_bos_token_id gives another language, a wrong max_length truncates "
    "every line.",
    do="Compare generation_config.json in the checkpoint with the settings that the run recorded. If the "
    "file is missing, the library derives it from config.json, with defaults that depend on the version.",
)


def inspect(expected: Snapshot, actual: Snapshot) -> Iterator[Finding | Skip]:
    """Compare all settings, using the default where one is not set."""
    before, after = expected.effective, actual.effective
    if before is None or after is None:
        yield unseen(CODE, "effective", expected, actual)
        return
    if deciding := text_differences(before.generation, after.generation):
        yield Finding(
            CODE,
            Severity.ERROR,
            f"generation settings differ from the save: {listed(deciding, most=6)}",
            measured=len(deciding),
            threshold=0,
            evidence={"differences": [one.to_json() for one in deciding]},
        )
    if harmless := other_differences(before.generation, after.generation):
        yield Finding(
            CODE,
            Severity.INFO,
            f"settings that do not affect the text differ: {listed(harmless)}",
            measured=len(harmless),
            evidence={"differences": [one.to_json() for one in harmless]},
        )
