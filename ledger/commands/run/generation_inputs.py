"""The inputs of a generation: its lines, and the digest by which the same inputs are recognised.

A real run reads the files that its spec names. A rehearsal takes a small real text and a tiny model of the
same family, so that everything else is the same code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger.commands.run.data_files import describe_model, digest_inputs, find_data, sha256_of
from ledger.commands.run.rehearsal_languages import own_text
from ledger.errors import LedgerError
from ledger.findings import Json
from ledger.specs import GenerationSpec
from ledger.utils.hashing import digest_file
from ledger.utils.paths import relative_if_inside
from ledger.utils.textfiles import read_lines
from ledger.workspace import Workspace
from runners.rehearsal import rehearsal_text
from runners.rehearsal.model import recipe_digest


@dataclass(frozen=True, slots=True)
class Redo:
    """The lines of the `output` of the run `parent` that are generated again.

    `flagged` are their indices by the codes that flagged them; `unfinished` and `truncated` are all such
    lines of the parent, as far as they are known.
    """

    parent: str
    output: Sequence[str]
    flagged: Mapping[str, Sequence[int]]
    unfinished: frozenset[int]
    truncated: frozenset[int]

    @property
    def lines(self) -> list[int]:
        """The flagged lines, in order."""
        return sorted({index for found in self.flagged.values() for index in found})


@dataclass(frozen=True, slots=True)
class GenerationInputs:
    """Source lines, reference lines if there are any, and their facts for the journal.

    `redo`: only these lines are generated.
    """

    source: Sequence[str]
    reference: Sequence[str] | None
    data: dict[str, Json]
    digest: str
    source_path: Path
    redo: Redo | None = None


def read_generation_inputs(
    spec: GenerationSpec, workspace: Workspace, *, rehearsal: bool
) -> GenerationInputs:
    """The lines of this run. Raises LedgerError where a file is missing or malformed."""
    return _rehearsal_inputs(spec, workspace) if rehearsal else _real_inputs(spec, workspace)


def _real_inputs(spec: GenerationSpec, workspace: Workspace) -> GenerationInputs:
    source_path = find_data(spec, workspace, "source", spec.data.source)
    source = read_lines(source_path)
    data: dict[str, Json] = {"source": _file_facts(source_path, workspace, source), "reference": None}
    reference = None
    if spec.data.reference is not None:
        reference_path = find_data(spec, workspace, "reference", spec.data.reference)
        reference = read_lines(reference_path)
        data["reference"] = _file_facts(reference_path, workspace, reference)
        if len(reference) != len(source):
            raise LedgerError(
                f"{spec.name}: {source_path.name} has {len(source):,} lines, "
                f"{reference_path.name} has {len(reference):,}",
                hint="a reference is one line per source line, in the same order",
            )
    data["model"] = describe_model(spec.model.name, workspace)
    return GenerationInputs(source, reference, data, digest_inputs(spec, data), source_path)


def _rehearsal_inputs(spec: GenerationSpec, workspace: Workspace) -> GenerationInputs:
    """The project's text instead of the spec's, or a few lines of that."""
    own = own_text(spec, workspace)
    source, reference = own or rehearsal_text(spec.languages.source, spec.languages.target)
    data: dict[str, Json] = {
        side: {"path": f"rehearsal.{side}", "sha256": sha256_of(list(lines)), "lines": len(lines)}
        for side, lines in (("source", source), ("reference", reference))
    }
    # Another way to make tiny models makes other models: then nothing was repeated.
    data["model"] = {"path": "rehearsal.model", "sha256": recipe_digest()}
    return GenerationInputs(source, reference, data, digest_inputs(spec, data), Path())


def _file_facts(path: Path, workspace: Workspace, lines: Sequence[str]) -> dict[str, Json]:
    return {"path": relative_if_inside(path, workspace.root), **digest_file(path), "lines": len(lines)}
