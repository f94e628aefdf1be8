"""Inspects a checkpoint's folder without loading any of it. Standard library only.

Nothing is unpickled or executed here. A problem is something missing, cut off or damaged; a refusal is
something that would have to be trusted: a link out of the folder, code in the config, a pickle that is not a
tensor archive.
"""

import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runners.worker.evidence.safetensors_header import DTYPES, BrokenFileError, read_header
from runners.worker.layout import FOLDER

SAFE, SAFE_INDEX = "model.safetensors", "model.safetensors.index.json"
PICKLE, PICKLE_INDEX = "pytorch_model.bin", "pytorch_model.bin.index.json"
OPTIMIZER = ("optimizer.pt", "optimizer.bin")
FOREIGN = ("tf_model.h5", "flax_model.msgpack", "model.ckpt.index", "rust_model.ot")
LARGEST = 100_000_000  # of any size in a config: the largest vocabularies have some hundred thousand
CONFIGS = ("config.json", "generation_config.json", "tokenizer_config.json")
WHOLE = "."  # names the folder itself, where no single file is to blame


def inspect_folder(folder: Path) -> dict[str, Any]:
    """The folder in the shape of `ledger.evidence.checkpoint_files.CheckpointFiles`.

    `format`: "safetensors" or "pickle", with "sharded " before it for several files, or "none".
    """
    problems: dict[str, str] = {}
    refusals: dict[str, str] = {}
    found: dict[str, Any] = {"path": str(folder), "format": "none", "bytes": 0}
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        return {**found, "problems": {WHOLE: what}, "refusals": {}}
    refusals.update(links_out(folder))
    configs = {name: _config(folder, name, problems, refusals) for name in CONFIGS}
    if not configs["config.json"]:
        problems.setdefault("config.json", "is missing")
    if not refusals:  # the target of a link is not read
        found["format"] = _weights(folder, problems, refusals)
    found["bytes"] = sum(size_of(path) for path in _files(folder))
    return {**found, "problems": problems, "refusals": refusals}


def weight_files(folder: Path) -> list[Path]:
    """The files that from_pretrained reads the weights from; empty where there are none."""
    for single, index in ((SAFE, SAFE_INDEX), (PICKLE, PICKLE_INDEX)):
        if (folder / single).is_file():
            return [folder / single]
        if (folder / index).is_file():
            shards = _shards(folder / index).values()
            return [folder / name for name in sorted(set(shards)) if (folder / name).is_file()]
    return []


def stored_dtype(folder: Path) -> str | None:
    """The widest floating-point dtype among the tensors of safetensors files, as torch calls it."""
    files = [path for path in weight_files(folder) if path.suffix == ".safetensors"]
    present = {stored.dtype for path in files for stored in read_header(path).values()}
    return next((name for code, name in DTYPES.items() if code in present), None)


def links_out(folder: Path) -> dict[str, str]:
    """The links that lead out of the folder, by name; those of the Hugging Face cache into its own blobs are
    allowed."""
    root = folder.resolve()
    blobs = root.parent.parent / "blobs" if root.parent.name == "snapshots" else None
    out = {}
    for path in _files(folder):
        target = path.resolve()
        inside = target.is_relative_to(root) or (blobs is not None and target.is_relative_to(blobs))
        if not inside:
            out[str(path.relative_to(folder))] = f"is a link that leads out of the folder, to {target}"
    return out


def _files(folder: Path) -> Iterator[Path]:
    """Every file and every link except the ledger's own; a link to a folder is not followed."""
    for where, folders, names in os.walk(folder):
        here = Path(where)
        if here == folder and FOLDER in folders:
            folders.remove(FOLDER)
        yield from (here / name for name in names)
        yield from (here / name for name in folders if (here / name).is_symlink())


def size_of(path: Path) -> int:
    """Its size in bytes; 0 where it cannot be read."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _is_size(key: str) -> bool:
    """Whether a setting is a size of the model: building one of an absurd size would not end."""
    return key.endswith(("_layers", "_dim", "_size", "_heads", "d_model", "d_ff", "d_kv", "_embeddings"))


def _config(folder: Path, name: str, problems: dict[str, str], refusals: dict[str, str]) -> Mapping[str, Any]:
    path = folder / name
    if not path.exists():
        return {}
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        problems[name] = f"is not valid JSON: {error}"
        return {}
    if not isinstance(config, dict):
        problems[name] = "is not a JSON object"
        return {}
    absurd = [
        key for key, value in config.items() if type(value) is int and value > LARGEST and _is_size(key)
    ]
    if absurd:
        problems[name] = f"{absurd[0]} is {config[absurd[0]]:,}, which no model has"
    if config.get("auto_map"):
        refusals[name] = "asks for code of its own (auto_map), which is never run"
    return config


def _weights(folder: Path, problems: dict[str, str], refusals: dict[str, str]) -> str:
    for single, index, kind in ((SAFE, SAFE_INDEX, "safetensors"), (PICKLE, PICKLE_INDEX, "pickle")):
        check = _check_safetensors if kind == "safetensors" else _check_pickle
        if (folder / single).is_file():
            check(folder / single, problems, refusals)
            return kind
        if (folder / index).is_file():
            _check_shards(folder, index, problems)
            for path in weight_files(folder):
                check(path, problems, refusals)
            return f"sharded {kind}"
    problems[WHOLE] = _why_no_weights(folder)
    return "none"


def _why_no_weights(folder: Path) -> str:
    names = {path.name for path in folder.iterdir() if path.name != FOLDER}
    if not names:
        return "is empty"
    if "adapter_config.json" in names:
        return "holds an adapter (PEFT) and not a model"
    for name in FOREIGN:
        if name in names:
            return f"holds weights of another framework alone ({name})"
    for name in OPTIMIZER:
        if name in names:
            return f"holds the optimizer's state ({name}) and no weights"
    return f"holds no weights: neither {SAFE} nor {PICKLE}"


def _check_safetensors(path: Path, problems: dict[str, str], _refusals: dict[str, str]) -> None:
    try:
        if not read_header(path):
            problems[path.name] = "holds no tensor"
    except (BrokenFileError, OSError) as error:
        problems[path.name] = str(error)


def _check_pickle(path: Path, problems: dict[str, str], refusals: dict[str, str]) -> None:
    """A torch archive is a zip file, whose directory is at its end: a truncated one has none."""
    with path.open("rb") as file:
        begins = file.read(4)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged is not None:
            problems[path.name] = f"is damaged: the checksum of {damaged} does not agree"
    elif begins.startswith(b"PK") or not begins:
        problems[path.name] = "is cut off: it does not end as an archive of tensors does"
    else:
        refusals[path.name] = "is a plain pickle, which could run code: it is not opened"


def _check_shards(folder: Path, index: str, problems: dict[str, str]) -> None:
    shards = _shards(folder / index)
    if not shards:
        problems[index] = "names no weights, or is not valid JSON"
    for name in sorted(set(shards.values())):
        if not (folder / name).is_file():
            problems[name] = f"is missing; {index} names it"
    for name in sorted(set(shards.values())):
        lost = _absent(folder / name, {key for key, shard in shards.items() if shard == name})
        if lost:
            problems[name] = f"lacks {len(lost)} tensors that {index} places there, such as {lost[0]}"


def _absent(path: Path, names: set[str]) -> list[str]:
    if path.suffix != ".safetensors" or not path.is_file():
        return []
    try:
        return sorted(names - set(read_header(path)))
    except (BrokenFileError, OSError):
        return []  # the check of the file itself reports it


def _shards(index: Path) -> dict[str, str]:
    """The file of each tensor; names that contain a folder are left out."""
    try:
        table = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        return {str(key): str(name) for key, name in table.items() if Path(str(name)).name == str(name)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
