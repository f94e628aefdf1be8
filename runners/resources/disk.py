"""Disk evidence: what a run will write, what this user has free, what the Hugging Face cache could free.

Reads the file system and, for a model that is not cached, asks the hub for its size; changes nothing.
"""

import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from ledger.environments.lockfile import Lockfile
from ledger.evidence.preflight import CachedModel, DiskNeed, DiskSpace

# A rehearsal writes one model of about 1M parameters (4 MB), its tokenizer, shards and the MLflow store.
REHEARSAL_BYTES = 200 * 2**20
# In addition to the weights: outputs, shards, the tracking store.
RUN_BYTES = 100 * 2**20
# An environment and its wheels: measured for torch's CPU build (0.7 GB installed, 0.2 GB packed);
# CUDA's need is estimated from its wheels, 2.6 GiB packed.
TORCH_BYTES = 10**9
TORCH_CUDA_BYTES = 8 * 10**9
PACKAGE_BYTES = 15 * 10**6
HUB_TIMEOUT_SECONDS = 5.0
WEIGHTS = (".safetensors", ".bin")


def rehearsal_need() -> DiskNeed:
    """What a rehearsal writes."""
    return DiskNeed(REHEARSAL_BYTES, "a tiny model, its output and the tracking store")


def model_need(model: str, parameters: int | None) -> DiskNeed:
    """What a real run writes: nothing for a model folder or a cached one, else the download.

    The hub is asked for the size of the weights. Where it does not answer, the estimate is 4 bytes for each
    of `parameters` (known by name), since older checkpoints are stored in float32.
    """
    if Path(model).is_dir() or any(entry.name == model for entry in cached_models()):
        return DiskNeed(RUN_BYTES, "the model is already here; outputs and tracking store")
    size = _size_on_hub(model)
    if size is not None:
        return DiskNeed(size + RUN_BYTES, f"{model}: weights as the hub lists them, and outputs")
    if parameters is not None:
        how = f"{model}: {parameters:,} parameters x 4 bytes, and outputs"
        return DiskNeed(4 * parameters + RUN_BYTES, how)
    return DiskNeed(RUN_BYTES, f"outputs only: the size of {model} is not known and the hub did not answer")


def environment_need(lockfile: Lockfile) -> DiskNeed:
    """An estimate of what building the lockfile's environment writes: packages and their wheels."""
    names = {pin.name for pin in lockfile.pins}
    others = len(names) * PACKAGE_BYTES
    if "torch" not in names:
        return DiskNeed(others, f"{len(names)} packages; an estimate")
    cuda = any(name.startswith("nvidia-") for name in names)
    torch, kind = (TORCH_CUDA_BYTES, "torch with CUDA") if cuda else (TORCH_BYTES, "torch without CUDA")
    return DiskNeed(torch + others, f"{kind} and {len(names) - 1} more packages; an estimate")


def free_space(path: Path) -> DiskSpace:
    """The space left for this user at `path`, or at its nearest parent folder that exists."""
    folder = next(folder for folder in (path, *path.parents) if folder.exists())
    return DiskSpace(
        path=str(folder),
        free_bytes=shutil.disk_usage(folder).free,
        quota_free_bytes=_quota_free(),
        freeable=tuple(sorted(cached_models(), key=lambda entry: -entry.size_bytes)),
    )


def cache_folder() -> Path:
    """The download cache of the Hugging Face libraries, by their own variables."""
    from huggingface_hub.constants import HF_HUB_CACHE

    return Path(HF_HUB_CACHE)


def cached_models() -> list[CachedModel]:
    """The models in the Hugging Face cache; empty when there is no cache."""
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        repositories = scan_cache_dir(cache_folder()).repos
    except CacheNotFound:
        return []
    return [
        CachedModel(
            repository.repo_id,
            repository.size_on_disk,
            datetime.fromtimestamp(repository.last_accessed, UTC).strftime("%Y-%m-%d"),
        )
        for repository in repositories
    ]


def _size_on_hub(model: str) -> int | None:
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "TRUE", "YES", "ON"}:
        return None
    from huggingface_hub import HfApi

    try:
        files = HfApi().model_info(model, files_metadata=True, timeout=HUB_TIMEOUT_SECONDS).siblings or []
    except Exception:
        # No network, no such model, no permission: the run itself will report which. Here only the size
        # is unknown.
        return None
    # A repository often holds the same weights twice; only one set is downloaded, safetensors first.
    sizes = {
        suffix: sum(file.size or 0 for file in files if file.rfilename.endswith(suffix)) for suffix in WEIGHTS
    }
    return next((size for size in sizes.values() if size), None)


def _quota_free() -> int | None:
    """Bytes left under the user's quota, by `quota`(1); None without a quota."""
    if shutil.which("quota") is None:
        return None
    try:
        answer = subprocess.run(
            ["quota", "--no-wrap", "--raw-grace", "--hide-device"],
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_quota(answer.stdout)


def parse_quota(text: str) -> int | None:
    """The smallest remainder (bytes) over all file systems in `quota -w`'s table of 1 KiB blocks.

    The columns are blocks, quota, limit; a star marks blocks over the quota, a limit of 0 means none.
    """
    remainders = []
    for line in text.splitlines():
        numbers = re.findall(r"(?<!\S)(\d+)\*?(?!\S)", line)
        if len(numbers) >= 3:
            used, soft, hard = (int(number) for number in numbers[:3])
            limit = hard or soft
            if limit:
                remainders.append(max(0, limit - used) * 1024)
    return min(remainders, default=None)
