"""Checks what a job names (source file, model folder, dtype, device) before anything heavy is loaded."""

from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from runners.worker.error_messages import explain
from runners.worker.errors import JobError
from runners.worker.messages import Generate, ProbeCodes
from runners.worker.models.families import FAMILIES, Family, infer_family

DTYPES = ("float32", "float16", "bfloat16")
WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
SMALL_FILES = ("*.json", "*.model", "*.spm", "*.txt")

NamesModel = TypeVar("NamesModel", Generate, ProbeCodes)


def read_lines(path: Path, expected: int) -> list[str]:
    """The lines of a UTF-8 file, split at `\\n` only, without a carriage return at their ends.

    Raises JobError when their number is not `expected`, which was counted before the run.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise JobError("missing file", f"there is no source file {path}") from error
    except UnicodeDecodeError as error:
        raise JobError(
            "not utf-8", f"{path} is not UTF-8: {error}", "convert it, for instance with iconv"
        ) from error
    lines = [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")] if text else []
    if len(lines) != expected:
        message = f"{path} has {len(lines)} lines, {expected} were expected"
        raise JobError("changed source", message, "it changed since the run was planned: start the run again")
    return lines


def locate(job: NamesModel, *, weights: bool) -> NamesModel:
    """The job with its hub model replaced by a folder: that revision in the Hugging Face cache.

    Downloads what is missing, the weights only if `weights`. A job that names a folder or no revision is
    returned as it is.
    """
    model, revision = job.model, job.revision
    if revision is None or Path(model).is_dir():
        return job
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(model, revision=revision, allow_patterns=list(SMALL_FILES)))
        for pattern in WEIGHTS if weights else ():
            if not any(any(folder.glob(one)) for one in WEIGHTS):
                snapshot_download(model, revision=revision, allow_patterns=[pattern])
    except (OSError, ValueError) as error:
        known = explain(error)
        raise JobError(known.kind, f"{model} at {revision}: {known.message}", known.hint) from error
    return replace(job, model=str(folder))


def find_family(name: str | None, model: str) -> Family:
    """The family of that name, or the one that the model's config names.

    Raises JobError when the folder is missing or has no config.json, or the hub has no such model.
    """
    _check_folder(model)
    if not Path(model).is_dir():
        _check_hub(model)
    if name is None:
        return infer_family(model)
    if name not in FAMILIES:
        raise JobError(
            "unknown family", f"there is no family {name!r}", f"choose one of {', '.join(FAMILIES)}"
        )
    return FAMILIES[name]


def check_weights(model: str) -> None:
    """Raise JobError when a model folder holds no weights."""
    folder = Path(model)
    if folder.is_dir() and not any(file for pattern in WEIGHTS for file in folder.glob(pattern)):
        raise JobError(
            "missing weights", f"{model} holds no weights", f"expected one of {', '.join(WEIGHTS)} there"
        )


def choose_device(wanted: str) -> str:
    """`cpu` or `cuda`; `auto` is CUDA where there is one."""
    import torch

    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted.startswith("cuda") and not torch.cuda.is_available():
        built = (
            "this torch was built without CUDA"
            if torch.version.cuda is None
            else "torch finds no CUDA device"
        )
        raise JobError(
            "no cuda", f"the device is {wanted}, but {built}", "use device: auto, or another environment"
        )
    return wanted


def check_dtype(name: str) -> str:
    """The dtype's name. Raises JobError for any but the three in DTYPES."""
    if name not in DTYPES:
        raise JobError(
            "unknown dtype", f"there is no dtype {name!r} to run in", f"choose one of {', '.join(DTYPES)}"
        )
    return name


def fingerprint(model: str) -> dict[str, Any]:
    """What changes when the model does: size and time of its files, or the hub's commit."""
    folder = Path(model)
    if not folder.is_dir():
        from transformers.utils import cached_file, extract_commit_hash

        return {"commit": extract_commit_hash(cached_file(model, "config.json"), None)}
    files = (file for file in sorted(folder.iterdir()) if file.is_file())
    return {file.name: [file.stat().st_size, file.stat().st_mtime_ns] for file in files}


def _check_hub(model: str) -> None:
    """Fetch a hub model's smallest file first: a missing tokenizer fails without giving a reason."""
    from transformers.utils import cached_file

    try:
        cached_file(model, "config.json")
    except OSError as error:
        known = explain(error)
        raise JobError(known.kind, f"{model}: {known.message}", known.hint) from error


def _check_folder(model: str) -> None:
    folder = Path(model)
    looks_like_path = model.startswith((".", "/", "~")) or model.count("/") != 1
    if folder.is_dir() and not (folder / "config.json").is_file():
        raise JobError(
            "missing file", f"{model} holds no config.json", "name the folder that save_pretrained wrote"
        )
    if folder.is_file():
        raise JobError("not a folder", f"{model} is a file", "name the folder that holds it")
    if not folder.exists() and looks_like_path and "/" in model:
        raise JobError("missing folder", f"there is no model folder {model}", "check the path in the spec")
