"""CKP008: the checkpoint's tokenizer or its language codes behave differently than at the save."""

from collections.abc import Iterator, Mapping, Sequence

from guards.checkpoint.skips import unseen
from guards.guard import Explanation
from ledger.evidence.snapshot import Snapshot, TokenizerFacts
from ledger.findings import Finding, Severity, Skip
from ledger.utils.plural import and_more

CODE = "CKP008"
TITLE = "the tokenizer or its language codes differ"
READS = (Snapshot, Snapshot)
EXPLANATION = Explanation(
    means="A fixed sentence, a special token or a language code has different ids than at the save, or a "
    "whole call has (a sentence or line of the training with its language codes and special tokens). A "
    "vocabulary of another size and a chat template that is lost or changed are warnings. The name of the "
    "class does not matter.",
    matters="The weights are the same, the logits on recorded ids are the same, and the text is garbage: "
    "only the ids show it. Another run's tokenizer in the folder, a reordered vocabulary and a library that "
    "reads the same file differently all look like this.",
    do="Compare the tokenizer's files with those of the run that trained the model. If they are the same, "
    "the library reads them differently: load them with the version that saved them.",
)
MOST_SHOWN = 3
MOST_IDS = 8


def inspect(expected: Snapshot, actual: Snapshot) -> Iterator[Finding | Skip]:
    """Compare every id that was recorded at the save with the current one."""
    before, after = expected.tokenizer, actual.tokenizer
    if before is None or after is None:
        yield unseen(CODE, "tokenizer", expected, actual)
        return
    differences = [*_sentences(before.ids, after.ids), *_ids("code", before.codes, after.codes)]
    # A role that had no token at the save (mask, bos) may have one in another version: nothing used it.
    used = {role: number for role, number in before.special.items() if number is not None}
    differences += _ids("special token", used, after.special)
    differences += [] if differences else _sentences(before.calls, after.calls, " in a whole call")
    if differences:
        yield _changed_ids(differences, before, after)
    elif before.size != after.size:
        yield Finding(
            CODE,
            Severity.WARNING,
            f"the vocabulary has {after.size:,} entries and had {before.size:,} at the save; all recorded "
            "ids are the same",
            measured=after.size,
            threshold=before.size,
            evidence={"before": before.name, "after": after.name},
        )
    if before.template is not None and before.template != after.template:
        yield Finding(
            CODE,
            Severity.WARNING,
            f"the chat template {'is lost' if after.template is None else 'differs from that of the save'}",
            evidence={"before": before.template, "after": after.template},
        )


def _sentences(
    before: Mapping[str, Sequence[int]], after: Mapping[str, Sequence[int]], how: str = ""
) -> Iterator[str]:
    for sentence, ids in before.items():
        now = after.get(sentence)
        if now is not None and tuple(now) != tuple(ids):
            yield f"{sentence!r}{how} gives {_shown(now)} and gave {_shown(ids)}"


def _ids(kind: str, before: Mapping[str, int], after: Mapping[str, int | None]) -> Iterator[str]:
    for name, number in before.items():
        now = after.get(name)
        if now != number:
            yield f"the {kind} {name} is {'gone' if now is None else now} and was {number}"


def _changed_ids(differences: list[str], before: TokenizerFacts, after: TokenizerFacts) -> Finding:
    message = and_more(differences, MOST_SHOWN, "; ")
    if before.size != after.size:
        message += f" ({after.size:,} entries in the vocabulary, {before.size:,} at the save)"
    return Finding(
        CODE,
        Severity.ERROR,
        message,
        measured=len(differences),
        threshold=0,
        evidence={
            "before": {"class": before.name, "size": before.size},
            "after": {"class": after.name, "size": after.size},
            "differences": differences,
        },
    )


def _shown(ids: Sequence[int]) -> str:
    more = ", ..." if len(ids) > MOST_IDS else ""
    return ", ".join(map(str, ids[:MOST_IDS])) + more
