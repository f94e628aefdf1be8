"""CKP020: the tokenizer does not fit the model, or the folder holds two that disagree."""

from collections.abc import Iterator
from dataclasses import replace

from guards.checkpoint.skips import not_reloaded
from guards.guard import Explanation
from ledger.evidence.snapshot import Snapshot, TokenizerFacts
from ledger.findings import Finding, Severity, Skip
from ledger.utils.plural import and_more, count

CODE = "CKP020"
TITLE = "the tokenizer does not fit the model or its own files"
READS = (Snapshot, Snapshot)
EXPLANATION = Explanation(
    means="The slow and the fast tokenizer of the folder give a fixed sentence, a special token or a "
    "language code different ids. Or the model's embedding has more rows than the tokenizer has entries, "
    "and not because it is padded to a multiple of 8 to 256; or it has fewer, which is an error if a probed "
    "id has no row. Sizes that are those of the save are not reported.",
    matters="Which of two tokenizers is used depends on the version and on installed packages, so the same "
    "folder gives two translations. An embedding that grew in training and a tokenizer without the new "
    "tokens split them into pieces that the model never saw.",
    do="Save the tokenizer of the training into the folder: tokenizer.save_pretrained(FOLDER). Remove the "
    "files of the other one (tokenizer.json, or the vocabulary of the slow class). If the extra rows were "
    "never used, the warning can be accepted.",
)
PADDING = (8, 16, 32, 64, 128, 256)  # the multiples that resize_token_embeddings(pad_to_multiple_of) is given
# Rows and entries of published models that are neither equal nor padded: NLLB-200.
PUBLISHED = {(256_206, 256_204)}
MOST_SHOWN = 2


def inspect(expected: Snapshot, actual: Snapshot) -> Iterator[Finding | Skip]:
    """Report disagreements, then sizes that do not fit."""
    tokenizer = actual.tokenizer
    if tokenizer is None:
        skip = not_reloaded(CODE, "tokenizer", actual)
        # A model without text, such as a forecaster, never had one.
        yield replace(skip, required=expected.tokenizer is not None or expected.owed)
        return
    if tokenizer.disagreements:
        yield Finding(
            CODE,
            Severity.WARNING,
            f"the slow and the fast tokenizer differ: {and_more(tokenizer.disagreements, MOST_SHOWN, '; ')}",
            measured=len(tokenizer.disagreements),
            threshold=0,
            evidence={"disagreements": list(tokenizer.disagreements)},
        )
    before = expected.tokenizer
    known = before is not None and (before.size, before.rows) == (tokenizer.size, tokenizer.rows)
    if tokenizer.rows is not None and not known:
        yield from _sizes(tokenizer, tokenizer.rows)


def _sizes(tokenizer: TokenizerFacts, rows: int) -> Iterator[Finding]:
    spare = rows - tokenizer.size
    highest = max(_ids(tokenizer), default=0)
    if spare < 0:
        yield _misfit(
            Severity.ERROR if highest >= rows else Severity.WARNING,
            f"the tokenizer has {count(-spare, 'entry', 'entries')} more than the embedding has rows "
            f"({tokenizer.size:,} and {rows:,})"
            + (f"; the id {highest:,} has none" if highest >= rows else ""),
            tokenizer,
            rows,
        )
    elif spare and (rows, tokenizer.size) not in PUBLISHED and not _is_padded(rows, spare):
        yield _misfit(
            Severity.WARNING,
            f"the embedding has {count(spare, 'row')} more than the tokenizer has entries ({rows:,} and "
            f"{tokenizer.size:,}): were tokens added in training, and the base tokenizer saved?",
            tokenizer,
            rows,
        )


def _ids(tokenizer: TokenizerFacts) -> Iterator[int]:
    for ids in (*tokenizer.ids.values(), *tokenizer.calls.values()):
        yield from ids
    yield from tokenizer.codes.values()


def _is_padded(rows: int, spare: int) -> bool:
    return any(rows % multiple == 0 and spare < multiple for multiple in PADDING)


def _misfit(severity: Severity, message: str, tokenizer: TokenizerFacts, rows: int) -> Finding:
    return Finding(
        CODE,
        severity,
        message,
        measured=rows,
        threshold=tokenizer.size,
        evidence={"class": tokenizer.name, "entries": tokenizer.size, "rows": rows},
    )
