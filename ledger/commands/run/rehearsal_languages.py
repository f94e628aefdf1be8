"""The languages that an experiment is rehearsed in, where the project has no text of its pair.

A training from scratch then overfits lines of its own training text, whose vocabulary it learns anyway. Every
other experiment is rehearsed with Korean into Japanese: the tiny models know no other languages.
"""

from collections.abc import Sequence

from ledger.errors import LedgerError
from ledger.specs import GenerationSpec, TrainingSpec
from ledger.utils.textfiles import read_lines
from ledger.workspace import Workspace
from runners.rehearsal.text import LINES
from runners.rehearsal.text import has_text as has_generation_text
from runners.rehearsal.training import has_text as has_training_text
from runners.worker.models.recipes import RECIPES

SOURCE, TARGET = "ko", "ja"
LEAST_LINES = 24  # fewer show neither a vocabulary nor a batch
LONGEST = 60  # characters, as in the project's own text: a minute is enough to learn them


def substitutes(spec: GenerationSpec | TrainingSpec, workspace: Workspace) -> tuple[tuple[str, ...], str]:
    """Settings (`KEY=VALUE`) for a rehearsal of this spec, and a sentence on what it is rehearsed with.

    Both are empty where the project has text of the spec's languages.
    """
    source, target = spec.languages.source, spec.languages.target
    is_training = isinstance(spec, TrainingSpec)
    if (has_training_text if is_training else has_generation_text)(source, target):
        return (), ""
    if isinstance(spec, TrainingSpec) and (own := own_text(spec, workspace)):
        return (), f"rehearsing with {len(own[0])} short lines of its own training text"
    settings = [f"languages.source={SOURCE}", f"languages.target={TARGET}"]
    codes = RECIPES[spec.model.family].codes if spec.model.family in RECIPES else {}
    stated = {"source": (spec.codes.source, SOURCE), "target": (spec.codes.target, TARGET)}
    settings += [f"codes.{side}={codes[name]}" for side, (code, name) in stated.items() if code and codes]
    return tuple(settings), (
        f"there is no text for a rehearsal of {source} into {target}: rehearsing with Korean into Japanese, "
        "so its language codes and its data are not tried"
    )


def own_text(spec: TrainingSpec, workspace: Workspace) -> tuple[Sequence[str], Sequence[str]] | None:
    """A few dozen short pairs of lines of the training text; None for a fine-tuning, or without enough."""
    if spec.model.config is None:
        return None
    try:
        named = (spec.data.train.source, spec.data.train.reference)
        sides = [read_lines(workspace.root / name) for name in named]
    except LedgerError:
        return None
    pairs = dict.fromkeys(zip(*sides, strict=False))
    short = [pair for pair in pairs if all(line.strip() and len(line) <= LONGEST for line in pair)][:LINES]
    if len(short) < LEAST_LINES:
        return None
    return [pair[0] for pair in short], [pair[1] for pair in short]
