"""What goes into a run: its lines, its model, and the digest by which the same inputs are recognised.

A real run reads the files that its spec names. A rehearsal takes a small real text and a tiny model of the
same family, so that everything else can be the same code.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger.errors import LedgerError
from ledger.findings import Json
from ledger.specs import GenerationSpec
from ledger.utils.hashing import digest_file, digest_json
from ledger.utils.paths import relative_if_inside
from ledger.utils.textfiles import read_lines
from ledger.workspace import Workspace
from runners.rehearsal import rehearsal_text
from runners.rehearsal.model import recipe_digest


@dataclass(frozen=True, slots=True)
class Inputs:
    """Source lines, reference lines if there are any, and how the journal names them.

    `digest` covers the spec's digest and the text, not the environment: two runs with the same inputs ask
    the same question.
    """

    source: Sequence[str]
    reference: Sequence[str] | None
    data: dict[str, Json]
    digest: str
    source_path: Path


def read_inputs(spec: GenerationSpec, workspace: Workspace, *, rehearsal: bool) -> Inputs:
    """What this run reads. Raises LedgerError where a file is missing or malformed."""
    return _rehearsal_inputs(spec) if rehearsal else _real_inputs(spec, workspace)


def _real_inputs(spec: GenerationSpec, workspace: Workspace) -> Inputs:
    source_path = _data_file(spec, workspace, "source", spec.data.source)
    source = read_lines(source_path)
    data: dict[str, Json] = {"source": _file_facts(source_path, workspace, source), "reference": None}
    reference = None
    if spec.data.reference is not None:
        reference_path = _data_file(spec, workspace, "reference", spec.data.reference)
        reference = read_lines(reference_path)
        data["reference"] = _file_facts(reference_path, workspace, reference)
        if len(reference) != len(source):
            raise LedgerError(
                f"{spec.name}: {source_path.name} has {len(source):,} lines, "
                f"{reference_path.name} has {len(reference):,}",
                hint="a reference is one line per source line, in the same order",
            )
    data["model"] = folder_facts(spec.model.name, workspace)
    return Inputs(source, reference, data, _digest(spec, data), source_path)


def _rehearsal_inputs(spec: GenerationSpec) -> Inputs:
    """The rehearsal's own text in the place of the spec's."""
    source, reference = rehearsal_text(spec.languages.source, spec.languages.target)
    data: dict[str, Json] = {
        side: {"path": f"rehearsal.{side}", "sha256": _sha256(list(lines)), "lines": len(lines)}
        for side, lines in (("source", source), ("reference", reference))
    }
    # Another way to make tiny models makes other models: then nothing was repeated.
    data["model"] = {"path": "rehearsal.model", "sha256": recipe_digest()}
    return Inputs(source, reference, data, _digest(spec, data), Path())


def _digest(spec: GenerationSpec, data: dict[str, Json]) -> str:
    texts = {side: facts["sha256"] if facts else None for side, facts in data.items()}
    return digest_json({"spec": spec.digest, "data": texts})


def _data_file(spec: GenerationSpec, workspace: Workspace, side: str, named: str) -> Path:
    path = workspace.root / named
    if not path.exists():
        raise LedgerError(
            f"{spec.name} reads {named} (data.{side}), which is not there",
            hint=f"put it there, or name another with --set data.{side}=PATH, "
            f"or try without data: ledger run {spec.name} --rehearse",
        )
    return path


def folder_facts(model: str, workspace: Workspace) -> dict[str, Json] | None:
    """A model that is a folder, by the digest of its files; a hub model goes by its name and revision."""
    folder = workspace.root / model
    if not folder.is_dir():
        return None
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    digests = {path.relative_to(folder).as_posix(): digest_file(path)["sha256"] for path in files}
    return {"path": model, "sha256": _sha256(digests)}


def _sha256(value: Json) -> str:
    return digest_json(value).removeprefix("sha256:")


def _file_facts(path: Path, workspace: Workspace, lines: Sequence[str]) -> dict[str, Json]:
    return {"path": relative_if_inside(path, workspace.root), **digest_file(path), "lines": len(lines)}
