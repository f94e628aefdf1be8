"""Digests of a model's tensors: which tensors a checkpoint should hold, and one digest for each.

Standard library and torch. A tensor's digest covers its dtype, its shape and its bytes, in pieces that
threads share: hashlib releases the GIL.
"""

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

PIECE = 4 << 20  # bytes; small enough that a large embedding keeps all threads busy
THREADS = min(8, os.cpu_count() or 1)
ALGORITHM = "sha256"


def foreign_algorithm(digests: Iterable[str]) -> str | None:
    """The algorithm of the first of these digests that this version cannot compute; None without one."""
    algorithms = (digest.partition(":")[0] for digest in digests)
    return next((algorithm for algorithm in algorithms if algorithm != ALGORITHM), None)


def saved_tensors(model: Any, also: Collection[str] = ()) -> dict[str, Any]:
    """The state dict's tensors that `save_pretrained` writes, by name; each tied name has an entry.

    Tensors that the model's class recomputes instead of saving are left out, unless they are in `also`.
    """
    ignored = getattr(model, "_keys_to_ignore_on_save", None) or ()
    return {
        name: tensor
        for name, tensor in model.state_dict().items()
        if hasattr(tensor, "data_ptr") and (name in also or name not in ignored)
    }


def digest_tensors(tensors: Mapping[str, Any]) -> dict[str, str]:
    """`sha256:hex` of each tensor. Those that share storage are read once.

    Peak memory in addition to the model: one tensor, if it is on a device or not contiguous.
    """
    known: dict[Any, str] = {}
    digests: dict[str, str] = {}
    with ThreadPoolExecutor(THREADS) as pool:
        for name, tensor in tensors.items():
            place = identity(tensor)
            if place not in known:
                known[place] = f"{ALGORITHM}:{_digest(tensor, pool)}"
            digests[name] = known[place]
    return digests


def ties(tensors: Mapping[str, Any]) -> list[list[str]]:
    """The groups of names that share one tensor in memory, each sorted."""
    groups: dict[Any, list[str]] = {}
    for name, tensor in tensors.items():
        if tensor.numel():
            groups.setdefault(identity(tensor), []).append(name)
    return sorted(sorted(names) for names in groups.values() if len(names) > 1)


def not_finite(tensors: Mapping[str, Any]) -> list[str]:
    """The names of the floating-point tensors that contain NaN or an infinity."""
    known: dict[Any, bool] = {}
    for tensor in tensors.values():
        if identity(tensor) not in known:
            known[identity(tensor)] = _is_finite(tensor)
    return [name for name, tensor in tensors.items() if not known[identity(tensor)]]


def zeros(tensors: Mapping[str, Any]) -> list[str]:
    """The names of the matrices that hold nothing but zeros; a single row, such as a bias, is none."""
    return [
        name
        for name, tensor in tensors.items()
        if sum(size > 1 for size in tensor.shape) > 1 and not tensor.any()
    ]


def identity(tensor: Any) -> Any:
    """Equal for two tensors if and only if they are the same memory with the same layout."""
    if not tensor.numel():
        return id(tensor)  # empty tensors all have address 0
    return (tensor.device, tensor.data_ptr(), tensor.dtype, tuple(tensor.shape), tensor.stride())


def _digest(tensor: Any, pool: ThreadPoolExecutor) -> str:
    head = f"{dtype_name(tensor)} {list(tensor.shape)}\n".encode()
    return hashlib.sha256(head + b"".join(pool.map(_hash, _pieces(tensor)))).hexdigest()


def _hash(piece: memoryview) -> bytes:
    return hashlib.sha256(piece).digest()


def _pieces(tensor: Any) -> Iterator[memoryview]:
    import torch

    flat = tensor.detach().to("cpu").contiguous().reshape(-1).view(torch.uint8)
    data = memoryview(flat.numpy())
    return (data[at : at + PIECE] for at in range(0, len(data), PIECE))


def _is_finite(tensor: Any) -> bool:
    import torch

    if not tensor.is_floating_point() or not tensor.numel():
        return True
    low, high = torch.aminmax(tensor.detach())  # NaN propagates
    return bool(torch.isfinite(low) and torch.isfinite(high))


def dtype_name(tensor: Any) -> str:
    """The dtype's name, such as `float32`."""
    return str(tensor.dtype).removeprefix("torch.")
