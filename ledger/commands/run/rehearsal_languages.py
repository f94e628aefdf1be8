"""The text and the languages that an experiment is rehearsed with, where the project has no text of its pair.

That is a few dozen lines of its own data, which a tiny model of its family overfits. Where there are none, it
is rehearsed with Korean into Japanese.
"""

from collections.abc import Sequence

from guards.text.measures.chunk import Chunk
from guards.text.scan import scan_lines
from ledger.errors import LedgerError
from ledger.models.languages import english_name, language_of, names_of
from ledger.specs import GenerationSpec, TrainingSpec
from ledger.utils.textfiles import read_lines
from ledger.workspace import Workspace
from runners.rehearsal.model import OwnText
from runners.rehearsal.text import LINES, Triple
from runners.rehearsal.text import has_text as has_generation_text
from runners.rehearsal.training import has_text as has_training_text
from runners.worker.models.recipes import RECIPES

SOURCE, TARGET = "ko", "ja"
LEAST_LINES = 24  # fewer show neither a vocabulary nor a batch
MOST_LINES = 2000  # that are looked at
LONGEST = 60  # characters, as in the project's own text: a minute is enough to learn them

Text = tuple[Sequence[str], Sequence[str]]


def substitutes(spec: GenerationSpec | TrainingSpec, workspace: Workspace) -> tuple[tuple[str, ...], str]:
    """Settings (`KEY=VALUE`) for a rehearsal of this spec, and a sentence on what it is rehearsed with.

    Both are empty where the project has text of the spec's languages.
    """
    source, target = spec.languages.source, spec.languages.target
    if _has_text(spec):
        return (), ""
    if own := own_text(spec, workspace):
        return (), f"rehearsing with {len(own[0])} short lines of its own data"
    settings = [f"languages.source={SOURCE}", f"languages.target={TARGET}"]
    codes = RECIPES[spec.model.family].codes if spec.model.family in RECIPES else {}
    stated = {"source": (spec.codes.source, SOURCE), "target": (spec.codes.target, TARGET)}
    settings += [f"codes.{side}={codes[name]}" for side, (code, name) in stated.items() if code and codes]
    return tuple(settings), (
        f"there is no text for a rehearsal of {source} into {target}: rehearsing with Korean into Japanese, "
        "so its language codes and its data are not tried"
    )


def _has_text(spec: GenerationSpec | TrainingSpec) -> bool:
    has_text = has_training_text if isinstance(spec, TrainingSpec) else has_generation_text
    return has_text(spec.languages.source, spec.languages.target)


def own_text(spec: GenerationSpec | TrainingSpec, workspace: Workspace) -> Text | None:
    """A few dozen short pairs of lines of the experiment's data, none of which a text guard flags.

    None where the project has a text of the languages, or the data are not at hand or hold too few.
    """
    data = spec.data.train if isinstance(spec, TrainingSpec) else spec.data
    if _has_text(spec) or data.reference is None:
        return None
    try:
        sides = [read_lines(workspace.root / name) for name in (data.source, data.reference)]
    except LedgerError:
        return None
    pairs = dict.fromkeys(zip(*sides, strict=False))
    short = [pair for pair in pairs if all(line.strip() and len(line) <= LONGEST for line in pair)]
    clean = _clean(short[:MOST_LINES], spec.languages.target)[:LINES]
    if len(clean) < LEAST_LINES:
        return None
    return [pair[0] for pair in clean], [pair[1] for pair in clean]


def _clean(pairs: list[tuple[str, str]], language: str) -> list[tuple[str, str]]:
    sources, references = ([pair[side] for pair in pairs] for side in (0, 1))
    found = scan_lines(Chunk(references, sources, None), language=language, markers=(), samples=0)
    flagged = {index for indices in found.lines.values() for index in indices}
    return [pair for index, pair in enumerate(pairs) if index not in flagged]


def to_learn(spec: GenerationSpec | TrainingSpec, text: Text) -> OwnText:
    """What a tiny model learns: to translate the text, and to repeat its source where a code is unknown."""
    triples = [Triple(source, target, source) for source, target in zip(*text, strict=True)]
    source = _names(spec.languages.source, spec.codes.source, spec.model.family)
    target = _names(spec.languages.target, spec.codes.target, spec.model.family)
    return OwnText(triples, (source, target, source))


def _names(language: str, code: str | None, family: str | None) -> tuple[str, ...]:
    """How a tokenizer may call the language: the spec's code first, where it is one of that language."""
    if family == "t5":
        return (code or english_name(language),)
    written = (code,) if code and language_of(code) == language_of(language) else ()
    return (*written, *names_of(language))
