"""Inspects a checkpoint's folder without loading any of it. Standard library only.

Nothing is unpickled or executed here. A problem is something missing, cut off or damaged; a refusal is
something that would have to be trusted: a link out of the folder, code in the config, a pickle that is not a
tensor archive.
"""

import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runners.worker.evidence.config_checks import absurd_value, beyond_vocabulary, misfit
from runners.worker.evidence.folder_entries import entries, links_out, shown, size_of, unreadable
from runners.worker.evidence.safetensors_header import DTYPES, BrokenFileError, Stored, read_header
from runners.worker.layout import FOLDER, LIGHTNING, PROBE

SAFE, SAFE_INDEX = "model.safetensors", "model.safetensors.index.json"
PICKLE, PICKLE_INDEX = "pytorch_model.bin", "pytorch_model.bin.index.json"
OPTIMIZER = ("optimizer.pt", "optimizer.bin")
FOREIGN = ("tf_model.h5", "flax_model.msgpack", "model.ckpt.index", "rust_model.ot")
CONFIGS = ("config.json", "generation_config.json", "tokenizer_config.json")
READ = (*CONFIGS, "tokenizer.json", "vocab.json", "*.model", "*.spm")  # besides the weights
CHECKPOINT = re.compile(r"checkpoint-\d+")  # its own checkpoints, which belong to others
MOST_TOKENS = 100_000  # of a probe batch, which has a few hundred
WHOLE = "."  # names the folder itself, where no single file is to blame


def inspect_folder(folder: Path) -> dict[str, Any]:
    """The folder in the shape of `ledger.evidence.checkpoint_files.CheckpointFiles`.

    `format`: "safetensors" or "pickle", with "sharded " before it for several files, "lightning", or "none".
    """
    problems: dict[str, str] = {}
    refusals: dict[str, str] = {}
    found: dict[str, Any] = {"path": shown(folder), "format": "none", "bytes": 0}
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        return {**found, "problems": {WHOLE: what}, "refusals": {}}
    if problems := unreadable(folder):
        return {**found, "problems": problems, "refusals": {}}
    refusals.update(links_out(folder))
    if why := _probe_damage(folder / FOLDER / PROBE):
        problems[f"{FOLDER}/{PROBE}"] = why
    if (folder / FOLDER / LIGHTNING).is_file():
        found["format"] = "lightning"  # one pickled file, which is checked when it is opened
        _check_note(folder, problems, refusals)
    elif not refusals:  # the target of a link is not read
        configs = {name: _config(folder, name, problems, refusals) for name in CONFIGS}
        if not configs["config.json"]:
            problems.setdefault(
                "config.json", "is missing" if not (folder / "config.json").exists() else "is empty"
            )
        refusals.update(_named_outside(folder, configs["tokenizer_config.json"]))
        found["format"] = _weights(folder, problems, refusals)
        problems.update(_stand_ins(folder))
        if not problems and not refusals:
            problems.update(_by_headers(folder, configs["config.json"]))
            for name in ("config.json", "generation_config.json"):
                if why := beyond_vocabulary(configs["config.json"], configs[name]):
                    problems[name] = why
    found["bytes"] = sum(size_of(path) for path in entries(folder))
    return {**found, "problems": problems, "refusals": refusals}


def weight_files(folder: Path) -> list[Path]:
    """The files that from_pretrained reads the weights from; empty where there are none."""
    for single, index in ((SAFE, SAFE_INDEX), (PICKLE, PICKLE_INDEX)):
        if (folder / single).is_file():
            return [folder / single]
        if (folder / index).is_file():
            shards = set(_shards(folder / index).values()) - set(_outside(folder, index))
            return [folder / name for name in sorted(shards) if (folder / name).is_file()]
    return []


def stored_dtype(folder: Path) -> str | None:
    """The widest floating-point dtype among the tensors of safetensors files, as torch calls it."""
    present = {stored.dtype for stored in stored_tensors(folder).values()}
    return next((name for code, name in DTYPES.items() if code in present), None)


def stored_tensors(folder: Path) -> dict[str, Stored]:
    """The tensors of all safetensors files, by name; empty for pickled weights."""
    files = [path for path in weight_files(folder) if path.suffix == ".safetensors"]
    return {name: stored for path in files for name, stored in read_header(path).items()}


def _check_note(folder: Path, problems: dict[str, str], refusals: dict[str, str]) -> None:
    """Check what the ledger noted of a checkpoint of Lightning: its file, and the prefix of its model."""
    name = f"{FOLDER}/{LIGHTNING}"
    try:
        note = json.loads((folder / name).read_text(encoding="utf-8"))
        file, prefix = note["file"], note["prefix"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        problems[name] = f"is damaged: {error}"
        return
    if not isinstance(file, str) or not isinstance(prefix, str | None):
        problems[name] = "is damaged: it names no file"
    elif Path(file).name != file:
        refusals[name] = f"names {file}, which is not one of the checkpoint's own files"
    elif not (folder / file).is_file():
        problems[file] = f"is missing; {name} names it"


def _stand_ins(folder: Path) -> dict[str, str]:
    """The files that are a note of git or a page of a server instead of what was asked for."""
    found = {}
    for path in (
        *weight_files(folder),
        *(one for name in READ for one in folder.glob(name) if one.is_file()),
    ):
        with path.open("rb") as file:
            begins = file.read(64).lstrip().lower()
        if begins.startswith(b"version https://git-lfs"):
            found[path.name] = "is a Git LFS pointer and not the file itself: fetch it with git lfs pull"
        elif begins.startswith((b"<!doctype", b"<html")):
            found[path.name] = "is a web page, such as a login form: download the file again"
    return found


def _probe_damage(path: Path) -> str | None:
    """What is wrong with the stored probe batch; None if nothing is, or there is none."""
    try:
        stored = read_header(path)
    except FileNotFoundError:
        return None
    except (BrokenFileError, OSError) as error:
        return str(error)
    tokens = sum(one.count for name, one in stored.items() if name != "logits")
    return f"has {tokens:,} tokens, more than any probe batch" if tokens > MOST_TOKENS else None


def _by_headers(folder: Path, config: Mapping[str, Any]) -> dict[str, str]:
    """What the tensors' names, types and shapes show, by the file to blame."""
    tensors = stored_tensors(folder)
    if why := misfit(config, tensors):
        return {"config.json": why}
    empty = sorted(name for name, stored in tensors.items() if stored.shape == (0,))
    if empty and not config.get("quantization_config"):
        return {
            WHOLE: f"{len(empty):,} of {len(tensors):,} tensors are empty (size 0), such as {empty[0]}: "
            "they were saved without being gathered, as DeepSpeed ZeRO-3 leaves them"
        }
    return {}


def _config(folder: Path, name: str, problems: dict[str, str], refusals: dict[str, str]) -> Mapping[str, Any]:
    path = folder / name
    if not path.exists():
        return {}
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        problems[name] = "is not UTF-8"
        return {}
    except (OSError, ValueError, RecursionError) as error:
        problems[name] = f"is not valid JSON: {error}"
        return {}
    if not isinstance(config, dict):
        problems[name] = "is not a JSON object"
        return {}
    if absurd := absurd_value(config):
        problems[name] = absurd
    if config.get("auto_map"):
        refusals[name] = "asks for code of its own (auto_map), which is never run"
    return config


def _weights(folder: Path, problems: dict[str, str], refusals: dict[str, str]) -> str:
    for single, index, kind in ((SAFE, SAFE_INDEX, "safetensors"), (PICKLE, PICKLE_INDEX, "pickle")):
        if (folder / single).is_file():
            _check(folder / single, problems, refusals)
            return kind
        if (folder / index).is_file():
            _check_shards(folder, index, problems, refusals)
            for path in weight_files(folder):
                _check(path, problems, refusals)
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


def _check(path: Path, problems: dict[str, str], refusals: dict[str, str]) -> None:
    try:
        if path.suffix != ".safetensors":
            _check_pickle(path, problems, refusals)
        elif not read_header(path):
            problems[path.name] = "holds no tensor"
    except (BrokenFileError, OSError) as error:
        problems[path.name] = str(error)


def _check_pickle(path: Path, problems: dict[str, str], refusals: dict[str, str]) -> None:
    """A torch archive is a zip file, whose directory is at its end: a truncated one has none."""
    with path.open("rb") as file:
        begins = file.read(4)
    if zipfile.is_zipfile(path):
        if why := _damage(path):
            problems[path.name] = why
    elif begins.startswith(b"PK") or not begins:
        problems[path.name] = "is cut off: it does not end as an archive of tensors does"
    else:
        refusals[path.name] = "is a plain pickle, which could run code: it is not opened"


def _damage(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            # torch.save never compresses; a small archive could unpack to more than the disk holds.
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
                return "is a compressed archive, which torch.save does not write"
            damaged = archive.testzip()
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, RuntimeError) as error:
        return f"is damaged: {error}"
    return None if damaged is None else f"is damaged: the checksum of {damaged} does not agree"


def _check_shards(folder: Path, index: str, problems: dict[str, str], refusals: dict[str, str]) -> None:
    shards = _shards(folder / index)
    if not shards:
        problems[index] = "names no weights, or is not valid JSON"
    outside = _outside(folder, index)
    for name in outside:
        refusals[index] = f"names {name}, which is not one of the checkpoint's own files"
    for name in sorted(set(shards.values()) - set(outside)):
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
    """The file of each tensor."""
    try:
        table = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        return {str(key): str(name) for key, name in table.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _outside(folder: Path, index: str) -> list[str]:
    """The shards that are not among the files that the checkpoint's digest covers."""
    own = {str(path.relative_to(folder)) for path in entries(folder)}
    names = sorted(set(_shards(folder / index).values()))
    return [name for name in names if _leads_out(name) or (name not in own and (folder / name).is_file())]


def _leads_out(name: str) -> bool:
    parts = Path(name).parts
    return (
        Path(name).is_absolute()
        or ".." in parts
        or CHECKPOINT.fullmatch(parts[0] if parts else "") is not None
    )


def _named_outside(folder: Path, config: Mapping[str, Any]) -> dict[str, str]:
    """Files elsewhere that the tokenizer's own config names, and that its class would read."""
    named = (
        value for key, value in config.items() if key.endswith(("_file", "_spm")) and isinstance(value, str)
    )
    for name in named:
        if (folder / name).is_file() and _leads_out(name):
            return {"tokenizer_config.json": f"names {name}, which is not one of the checkpoint's own files"}
    return {}
