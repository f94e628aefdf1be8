"""Memory evidence: the bytes that a training keeps from its first step to its last, and what its device has.

Counts parameters and reads what the system says; loads no model and no torch.
"""

import os
import shutil
import subprocess
from math import prod
from pathlib import Path
from typing import Literal

from ledger.evidence import Unobserved
from ledger.evidence.training import DeviceMemory, MemoryNeed
from runners.worker.evidence.safetensors_header import BrokenFileError, read_header

Precision = Literal["fp32", "amp", "fp16", "bf16"]

# Bytes per parameter. `amp` is what fp16=True and bf16=True of the Hugging Face Trainer do: the weights stay
# float32 and are cast on the way. `fp16` trains float16 weights beside a float32 master copy (Rajbhandari et
# al. 2020, "ZeRO", section 3.1: 2 + 2 + 12 = 16). `bf16` is a model that was loaded in bfloat16: torch's
# AdamW then keeps its moments in it too.
WEIGHTS: dict[Precision, int] = {"fp32": 4, "amp": 4, "fp16": 2, "bf16": 2}
GRADIENTS: dict[Precision, int] = {"fp32": 4, "amp": 4, "fp16": 2, "bf16": 2}
MASTER: dict[Precision, int] = {"fp32": 0, "amp": 0, "fp16": 4, "bf16": 0}
MOMENT: dict[Precision, int] = {"fp32": 4, "amp": 4, "fp16": 4, "bf16": 2}
# Moments per parameter, by the names that TrainingArguments.optim has. Adafactor keeps a row and a column of
# sums per matrix, next to nothing; of bitsandbytes' optimizers each moment is one byte.
MOMENTS: dict[str, int] = {
    **dict.fromkeys(("adamw_torch", "adamw_torch_fused", "adamw_hf", "adamw_apex_fused", "lamb"), 2),
    **dict.fromkeys(("lion", "lion_32bit", "adagrad", "rmsprop"), 1),
    **dict.fromkeys(("sgd", "adafactor"), 0),
}
EIGHT_BIT = {"adamw_8bit": 2, "adamw_bnb_8bit": 2, "paged_adamw_8bit": 2, "lion_8bit": 1}


def training_need(
    parameters: int,
    *,
    trainable: int | None = None,
    precision: Precision = "fp32",
    optim: str = "adamw_torch",
) -> MemoryNeed:
    """What training a model of so many parameters keeps on its device; a lower bound, without activations.

    `trainable` are those that are not frozen (default: all): only they have gradients and moments. Of an
    optimizer that is not known nothing is counted.
    """
    trained = parameters if trainable is None else trainable
    parts = {
        "weights": WEIGHTS[precision] * parameters,
        "gradients": GRADIENTS[precision] * trained,
        "optimizer": _moment_bytes(precision, optim) * trained,
        "master copies": MASTER[precision] * trained,
    }
    how = f"{parameters:,} parameters, {precision}, {optim}"
    return MemoryNeed({name: size for name, size in parts.items() if size}, how)


def _moment_bytes(precision: Precision, optim: str) -> int:
    return EIGHT_BIT[optim] if optim in EIGHT_BIT else MOMENTS.get(optim, 0) * MOMENT[precision]


def count_parameters(folder: Path) -> int | None:
    """The elements of all tensors in the folder's safetensors files, by their headers; None without any.

    Tied tensors are stored once, so that they count once. A file that is broken is for other guards to name,
    and leaves the number unknown.
    """
    files = sorted(folder.glob("*.safetensors"))
    try:
        return sum(prod(t.shape) for path in files for t in read_header(path).values()) if files else None
    except (OSError, BrokenFileError):
        return None


def device_memory(device: str) -> DeviceMemory | Unobserved:
    """The memory of `cpu`, or of the first GPU for `cuda`; `auto` takes a GPU where there is one."""
    if device == "cpu":
        return cpu_memory()
    gpu = gpu_memory()
    if gpu is not None:
        return gpu
    if device == "auto":
        return cpu_memory()
    return Unobserved("nvidia-smi, which tells the memory of a GPU, is not there or did not answer")


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
        # What the kernel can drop at once (files that it keeps in memory) counts as used there.
        used = (_bytes_in(group / "memory.current") or 0) - _droppable(group / "memory.stat")
        total, free = limit, min(free, max(0, limit - max(0, used)))
    return DeviceMemory("this machine", total, free)


def _bytes_in(path: Path) -> int | None:
    """The number in one of the kernel's files; None where it is not there or says `max`."""
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
