"""Memory evidence: the bytes that a training keeps throughout, and the memory of its device.

Reads what the system reports; loads no model and no torch.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Literal

from ledger.evidence import Unobserved
from ledger.evidence.training import DeviceMemory, MemoryNeed

# What the trainers here do: without mixed precision, or with it (fp16=True, bf16=True), which casts float32
# weights during the forward pass. Both keep the same.
Precision = Literal["fp32", "amp"]
OPTIMIZER = "adamw_torch"  # the default of Seq2SeqTrainingArguments, and Lightning's here
WEIGHT_BYTES, GRADIENT_BYTES, MOMENT_BYTES, MOMENTS = 4, 4, 4, 2  # per parameter, in float32


def training_need(parameters: int, *, precision: Precision = "fp32") -> MemoryNeed:
    """The bytes that training a model with this many parameters keeps: a lower bound, without activations."""
    parts = {
        "weights": WEIGHT_BYTES * parameters,
        "gradients": GRADIENT_BYTES * parameters,
        "optimizer": MOMENTS * MOMENT_BYTES * parameters,
    }
    return MemoryNeed(parts, f"{parameters:,} parameters, {precision}, {OPTIMIZER}")


def device_memory(device: str) -> DeviceMemory | Unobserved:
    """The memory of `cpu`, or of the first GPU for `cuda`; `auto` takes a GPU where there is one."""
    if device == "cpu":
        return cpu_memory()
    gpu = gpu_memory()
    if gpu is not None:
        return gpu
    if device == "auto":
        return cpu_memory()
    return Unobserved("nvidia-smi, which reports the memory of a GPU, is not installed or did not answer")


def gpu_memory() -> DeviceMemory | None:
    """The memory of the first visible NVIDIA GPU, by nvidia-smi; None where there is none."""
    if shutil.which("nvidia-smi") is None:
        return None
    first = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0].strip()
    columns = "--query-gpu=name,memory.total,memory.free"
    command = ["nvidia-smi", f"--id={first or 0}", columns, "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return parse_gpu(answer.stdout)


def parse_gpu(text: str) -> DeviceMemory | None:
    """The first row of `nvidia-smi --query-gpu=name,memory.total,memory.free`, which counts in MiB.

    >>> parse_gpu("NVIDIA A100, 81920, 81000")
    DeviceMemory(device='NVIDIA A100', total_bytes=85899345920, free_bytes=84934656000)
    """
    rows = text.strip().splitlines()
    cells = [cell.strip() for cell in rows[0].rsplit(",", 2)] if rows else []
    if len(cells) != 3 or not all(cell.isdigit() for cell in cells[1:]):
        return None
    total, free = (int(cell) * 2**20 for cell in cells[1:])
    return DeviceMemory(cells[0], total, free)


def cpu_memory(group: Path = Path("/sys/fs/cgroup")) -> DeviceMemory:
    """This machine's memory, or that of the container (control group, version 2) where that is less."""
    import psutil

    memory = psutil.virtual_memory()
    total, free = memory.total, memory.available
    limit = _bytes_in(group / "memory.max")
    if limit is not None and limit < total:
        # The control group counts as used what the kernel can drop at once: cached files.
        used = (_bytes_in(group / "memory.current") or 0) - _droppable(group / "memory.stat")
        total, free = limit, min(free, max(0, limit - max(0, used)))
    return DeviceMemory("this machine", total, free)


def _bytes_in(path: Path) -> int | None:
    """The number in one of the kernel's files; None where there is none, or `max`."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return int(text) if text.isdigit() else None


def _droppable(path: Path) -> int:
    """Bytes of the row `inactive_file` in a control group's statistics; 0 where there is none."""
    try:
        rows = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return 0
    counts = [row.partition(" ")[2] for row in rows if row.startswith("inactive_file ")]
    return int(counts[0]) if counts and counts[0].isdigit() else 0
