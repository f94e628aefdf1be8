"""Sides from other tools' folders: an offline W&B run, a Hugging Face output folder.

Only text is read. training_args.bin is a pickle, so it is never opened.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ledger.environments.diff.from_lockfiles import side_of_requirements
from ledger.errors import LedgerError
from ledger.evidence.environment import EnvironmentSide, Package
from ledger.evidence.imported_claims import ClaimedRun
from ledger.findings import Json
from ledger.importers.trainer_state import read_trainer_state

WANDB_FILES = ("wandb-metadata.json", "requirements.txt", "config.yaml")
HF_SECTIONS = {
    "model": "config.json",
    "generation": "generation_config.json",
    "tokenizer": "tokenizer_config.json",
}
# A vocabulary's entries are too many to list; the tokenizer guards compare them.
NOT_COMPARED = frozenset(("added_tokens_decoder", "_commit_hash", "auto_map"))
MOST_BYTES = 20_000_000


def is_wandb(folder: Path) -> bool:
    """Whether it is the folder of one W&B run."""
    return any((folder / "files" / name).is_file() for name in WANDB_FILES) or any(folder.glob("*.wandb"))


def is_hugging_face(folder: Path) -> bool:
    """Whether `save_pretrained` or a Trainer wrote the folder."""
    return any((folder / name).is_file() for name in (*HF_SECTIONS.values(), "trainer_state.json"))


def side_of_wandb(folder: Path) -> EnvironmentSide:
    """What W&B stored of a run: all packages, Python, the host, and the configuration passed to it."""
    files = folder / "files"
    run = _wandb_run(folder)
    environment, facts = (run.environment, run.facts) if run else ({}, {})
    metadata = {**_json(files / "wandb-metadata.json"), **environment}
    config = {**_wandb_config(files / "config.yaml"), **(run.params if run else {})}
    python = str(metadata.get("python", "")).removeprefix("CPython").strip()
    commit = facts.get("commit") or (_json(files / "wandb-metadata.json").get("git") or {}).get("commit")
    listed = files / "requirements.txt"
    frozen = side_of_requirements(listed) if listed.is_file() and listed.read_bytes().strip() else None
    packages = frozen.packages if frozen else None
    return EnvironmentSide(
        name=f"W&B run {folder.name}",
        kind="wandb",
        packages=packages,
        whole=True,
        python=python or None,
        torch=_torch_build(packages),
        reported={key: metadata[key] for key in ("os", "host", "gpu", "cudaVersion") if key in metadata},
        settings={"config": config} if config else None,
        partial=True,
        unread=frozen.unread if frozen else (),
        inputs={"commit": commit} if commit else {},
        unknown={
            "packages": "it has no files/requirements.txt",
            "machine": "W&B does not store the facts of the machine that a result depends on",
            "settings": "neither its .wandb file nor files/config.yaml has a configuration",
        },
    )


def _wandb_run(folder: Path) -> ClaimedRun | None:
    """The content of the run's .wandb file; None where there is no such file."""
    found = sorted(folder.glob("*.wandb"))
    if not found:
        return None
    from ledger.importers.wandb import read  # protobuf

    return read(found[0]).runs[0]


def side_of_hugging_face(folder: Path) -> EnvironmentSide:
    """The settings in a model's folder, as written, and the version of transformers that wrote them."""
    found = {section: _json(folder / name) for section, name in HF_SECTIONS.items()}
    wrote = (found["model"].get("transformers_version"), found["generation"].get("transformers_version"))
    version = next((str(one) for one in wrote if one), None)
    state = read_trainer_state(folder)
    settings = {section: _settings(facts) for section, facts in found.items() if facts}
    return EnvironmentSide(
        name=f"folder {folder.name}",
        kind="folder",
        packages={"transformers": Package(version)} if version else None,
        few=True,
        settings=settings or None,
        partial=True,
        inputs={"steps": state.step} if state.step else {},
        unknown={
            "packages": "its config.json names no version of transformers",
            "machine": "a model's folder names no machine",
            "settings": "it has no config.json",
        },
    )


def _settings(facts: Mapping[str, Json]) -> dict[str, Json]:
    return {key: value for key, value in facts.items() if key not in NOT_COMPARED}


def _wandb_config(path: Path) -> dict[str, Json]:
    """W&B writes `key: {desc: …, value: …}`, and its own notes under `_wandb`."""
    if not path.is_file():
        return {}
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        content = YAML(typ="safe").load(_text(path))
    except YAMLError as error:
        raise LedgerError(f"{path} is not valid YAML", hint="was it cut off, or edited by hand?") from error
    if not isinstance(content, dict):
        raise LedgerError(f"{path} does not hold a map of settings", hint="W&B writes `key: {value: …}`")
    return {
        str(key): one["value"] if isinstance(one, dict) and "value" in one else one
        for key, one in content.items()
        if key not in ("_wandb", "wandb_version")
    }


def _torch_build(packages: Mapping[str, Package] | None) -> str | None:
    torch = (packages or {}).get("torch")
    return ((torch.version if torch else None) or "").partition("+")[2] or None


def _json(path: Path) -> dict[str, Any]:
    """A JSON object; empty where there is no such file. Raises LedgerError where it is anything else."""
    if not path.is_file():
        return {}
    try:
        content = json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise LedgerError(f"{path} is not valid JSON: {error}", hint="was it cut off?") from error
    if not isinstance(content, dict):
        raise LedgerError(f"{path} does not hold a JSON object", hint="is it really that file?")
    return content


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise LedgerError(f"{path} is larger than {MOST_BYTES:,} bytes", hint="is it really that file?")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise LedgerError(f"{path} is not UTF-8 text", hint="was it cut off, or is it binary?") from error
    except OSError as error:
        raise LedgerError(f"{path} cannot be read: {error.strerror}", hint=f"see: ls -l {path}") from error
