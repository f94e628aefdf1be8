"""Compares the two tokenizers that a folder may hold: that of tokenizer.json and that of its vocabulary."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runners.worker.evidence.snapshot import SENTENCES, SPECIAL

MOST_IDS = 6  # that a message shows


def disagreements(fast: Any, folder: Path) -> tuple[str, ...] | None:
    """How the slow tokenizer of the folder differs from the loaded, fast one.

    None where only one can be loaded: this version has no slow class, or its vocabulary is not there.
    """
    kind = getattr(fast, "slow_tokenizer_class", None)
    if kind is None or not getattr(fast, "is_fast", False) or not (folder / "tokenizer.json").is_file():
        return None
    files = [name for key, name in kind.vocab_files_names.items() if key != "tokenizer_file"]
    if not all((folder / name).is_file() for name in files):
        return None
    try:
        slow = kind.from_pretrained(str(folder), local_files_only=True)
    except Exception:  # this version cannot read the other files: it does not use them, either
        return None
    return tuple(_differences(slow, fast))


def _differences(slow: Any, fast: Any) -> Iterator[str]:
    for text in SENTENCES:
        yield from _unequal(
            repr(text), *(one(text, add_special_tokens=False)["input_ids"] for one in (slow, fast))
        )
    for role in SPECIAL:
        yield from _unequal(
            f"{role}_token", *(getattr(one, f"{role}_token_id", None) for one in (slow, fast))
        )
    added = {str(token) for one in (slow, fast) for token in one.added_tokens_decoder.values()}
    for token in sorted(added):
        yield from _unequal(token, *(one.convert_tokens_to_ids(token) for one in (slow, fast)))


def _unequal(what: str, slow: Any, fast: Any) -> Iterator[str]:
    if slow != fast:
        ids = (str(one[:MOST_IDS] if isinstance(one, list) else one) for one in (slow, fast))
        yield f"{what} gives {' and '.join(ids)}"
