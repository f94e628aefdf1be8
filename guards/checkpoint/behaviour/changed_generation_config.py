"""CKP009: the checkpoint would generate with other settings than those at the save."""

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
    means="A setting that decides the text (first token, language, length, search, penalties) is not "
    "what it was at the save, every default filled in. Settings that change speed alone, such as "
    "use_cache, are a note.",
    matters="Neither the digests of the tensors nor the logits can show it: the model is the same and is "
    "asked for something else. A wrong forced_bos_token_id is another language, a wrong max_length cuts "
    "every line.",
    do="Compare generation_config.json in the checkpoint with the settings that the run recorded. A file "
    "that is not there is made up from config.json, with other defaults in other versions.",
)


def inspect(expected: Snapshot, actual: Snapshot) -> Iterator[Finding | Skip]:
    """Compare setting by setting, with the default where one is not set."""
    before, after = expected.effective, actual.effective
    if before is None or after is None:
        yield unseen(CODE, "effective", expected, actual)
        return
    if deciding := text_differences(before.generation, after.generation):
        yield Finding(
            CODE,
            Severity.ERROR,
            f"generates with other settings than at the save: {listed(deciding, most=6)}",
            measured=len(deciding),
            threshold=0,
            evidence={"differences": [one.to_json() for one in deciding]},
        )
    if harmless := other_differences(before.generation, after.generation):
        yield Finding(
            CODE,
            Severity.INFO,
            f"settings that do not decide the text differ: {listed(harmless)}",
            measured=len(harmless),
            evidence={"differences": [one.to_json() for one in harmless]},
        )
