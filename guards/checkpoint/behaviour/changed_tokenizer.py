"""CKP008: the tokenizer of the checkpoint, or its language codes, behave otherwise than at the save."""

from collections.abc import Iterator, Mapping, Sequence

from guards.checkpoint.skips import unseen
from guards.guard import Explanation
from ledger.evidence.snapshot import Snapshot, TokenizerFacts
from ledger.findings import Finding, Severity, Skip

CODE = "CKP008"
TITLE = "the tokenizer or its language codes differ"
READS = (Snapshot, Snapshot)
EXPLANATION = Explanation(
    means="A fixed sentence, a special token or a language code has other ids than at the save, or the "
    "vocabulary has another size. How the class is called does not count.",
    matters="The weights are the same, the logits on recorded ids are the same, and the text is garbage: "
    "only the ids show it. Another run's tokenizer in the folder, a vocabulary in another order and a "
    "library that reads the same file otherwise all look like this.",
    do="Compare the tokenizer's files with those of the run that trained the model. If they are the "
    "same, the library reads them otherwise: load with the version that saved them.",
)
MOST_TOLD = 3
MOST_IDS = 8


def inspect(expected: Snapshot, actual: Snapshot) -> Iterator[Finding | Skip]:
    """Hold every id that was recorded at the save against the one of now."""
    before, after = expected.tokenizer, actual.tokenizer
    if before is None or after is None:
        yield unseen(CODE, "tokenizer", expected, actual)
        return
    told = [*_sentences(before, after), *_ids("code", before.codes, after.codes)]
    # A role that had no token at the save (mask, bos) may have one in another version: nothing used it.
    used = {role: number for role, number in before.special.items() if number is not None}
    told += _ids("special token", used, after.special)
    if told:
        yield _other_ids(told, before, after)
    elif before.size != after.size:
        yield Finding(
            CODE,
            Severity.WARNING,
            f"the vocabulary has {after.size:,} entries and had {before.size:,} at the save; all ids that "
            "were recorded are the same",
            measured=after.size,
            threshold=before.size,
            evidence={"before": before.name, "after": after.name},
        )


def _sentences(before: TokenizerFacts, after: TokenizerFacts) -> Iterator[str]:
    for sentence, ids in before.ids.items():
        now = after.ids.get(sentence)
        if now is not None and tuple(now) != tuple(ids):
            yield f"{sentence!r} gives {_shown(now)} and gave {_shown(ids)}"


def _ids(kind: str, before: Mapping[str, int], after: Mapping[str, int | None]) -> Iterator[str]:
    for name, number in before.items():
        now = after.get(name)
        if now != number:
            yield f"the {kind} {name} is {'gone' if now is None else now} and was {number}"


def _other_ids(told: list[str], before: TokenizerFacts, after: TokenizerFacts) -> Finding:
    more = len(told) - MOST_TOLD
    message = "; ".join(told[:MOST_TOLD]) + (f"; and {more} more" if more > 0 else "")
    if before.size != after.size:
        message += f" ({after.size:,} entries in the vocabulary, {before.size:,} at the save)"
    return Finding(
        CODE,
        Severity.ERROR,
        message,
        measured=len(told),
        threshold=0,
        evidence={
            "before": {"class": before.name, "size": before.size},
            "after": {"class": after.name, "size": after.size},
            "differences": told,
        },
    )


def _shown(ids: Sequence[int]) -> str:
    more = ", ..." if len(ids) > MOST_IDS else ""
    return ", ".join(map(str, ids[:MOST_IDS])) + more
