"""The data files of a run: where they are, their facts for the journal, and the digest of all inputs."""

from collections.abc import Mapping
from pathlib import Path

from ledger.errors import LedgerError
from ledger.findings import Json
from ledger.specs.experiment import ExperimentSpec
from ledger.utils.hashing import digest_file, digest_json
from ledger.workspace import Workspace


def find_data(spec: ExperimentSpec, workspace: Workspace, key: str, name: str) -> Path:
    """The file that the spec names under `data.<key>`. Raises LedgerError where it does not exist."""
    path = workspace.root / name
    if not path.exists():
        raise LedgerError(
            f"{spec.name} reads {name} (data.{key}), which does not exist",
            hint=f"put it there, or name another with --set data.{key}=PATH, "
            f"or try without data: ledger run {spec.name} --rehearse",
        )
    return path


def describe_model(model: str, workspace: Workspace) -> dict[str, Json] | None:
    """A model folder, by the digest of its files; None for a hub model, which its name identifies."""
    folder = workspace.root / model
    if not folder.is_dir():
        return None
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    digests = {path.relative_to(folder).as_posix(): digest_file(path)["sha256"] for path in files}
    return {"path": model, "sha256": sha256_of(digests)}


def digest_inputs(spec: ExperimentSpec, data: Mapping[str, Json]) -> str:
    """Equal for two runs with the same spec and data, in whatever environment."""
    digests = {role: facts["sha256"] if facts else None for role, facts in data.items()}
    return digest_json({"spec": spec.digest, "data": digests})


def sha256_of(value: Json) -> str:
    """The digest of a value, in hexadecimal digits alone."""
    return digest_json(value).removeprefix("sha256:")
