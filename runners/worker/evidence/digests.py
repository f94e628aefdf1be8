"""Digests of a model's tensors: which tensors a save should hold, and one digest for each.

Standard library and torch. A tensor's digest covers its dtype, its shape and its bytes, cut into pieces that
threads share, for hashlib lets other threads run.
"""

import hashlib
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

from runners.worker.errors import JobError

PIECE = 4 << 20  # bytes; a large embedding keeps all threads busy
THREADS = min(8, os.cpu_count() or 1)
DEFAULT = "sha256"
FAST = "xxh3_128"  # three times as fast; only where the package xxhash is installed on both sides

Hasher = Callable[[Any], bytes]


def hasher(algorithm: str) -> Hasher:
    """The function from bytes to digest. Raises JobError when this environment does not have it."""
    if algorithm == FAST:
        try:
            xxhash: Any = import_module("xxhash")
        except ImportError as error:
            hint = "install xxhash in this environment, or save with sha256"
            message = f"the digests are {FAST}, and xxhash is not installed"
            raise JobError("no xxhash", message, hint) from error
        return lambda data: bytes(xxhash.xxh3_128_digest(data))
    if algorithm != DEFAULT:
        raise JobError("unknown digest", f"{algorithm!r} is no digest known here", f"{DEFAULT} or {FAST}")
    return lambda data: hashlib.sha256(data).digest()


def algorithm_of(digests: Iterable[str]) -> str:
    """The algorithm that digests were made with; the default where there is none."""
    return next((digest.partition(":")[0] for digest in digests), DEFAULT)


def saved_tensors(model: Any, also: Collection[str] = ()) -> dict[str, Any]:
    """The state dict's tensors that `save_pretrained` is to write, by name; tied names each have their entry.

    What the model's class computes anew instead of saving is left out, unless it is in `also`.
    """
    ignored = getattr(model, "_keys_to_ignore_on_save", None) or ()
    return {
        name: tensor
        for name, tensor in model.state_dict().items()
        if hasattr(tensor, "data_ptr") and (name in also or name not in ignored)
    }


def digest_tensors(tensors: Mapping[str, Any], algorithm: str = DEFAULT) -> dict[str, str]:
    """`algorithm:hex` of each tensor. Those that share storage are read once.

    Peak memory beyond the model: one tensor, where it lies on a device or is not contiguous.
    """
    one_hash = hasher(algorithm)
    known: dict[Any, str] = {}
    digests: dict[str, str] = {}
    with ThreadPoolExecutor(THREADS) as pool:
        for name, tensor in tensors.items():
            place = identity(tensor)
            if place not in known:
                known[place] = f"{algorithm}:{_digest(tensor, one_hash, pool)}"
            digests[name] = known[place]
    return digests


def ties(tensors: Mapping[str, Any]) -> list[list[str]]:
    """The groups of names that are one tensor in memory, each sorted."""
    groups: dict[Any, list[str]] = {}
    for name, tensor in tensors.items():
        if tensor.numel():
            groups.setdefault(identity(tensor), []).append(name)
    return sorted(sorted(names) for names in groups.values() if len(names) > 1)


def not_finite(tensors: Mapping[str, Any]) -> list[str]:
    """The names of the floating-point tensors that hold NaN or an infinity."""
    known: dict[Any, bool] = {}
    for tensor in tensors.values():
        if identity(tensor) not in known:
            known[identity(tensor)] = _is_finite(tensor)
    return [name for name, tensor in tensors.items() if not known[identity(tensor)]]


def identity(tensor: Any) -> Any:
    """Equal for two tensors exactly when they are the same memory read the same way."""
    if not tensor.numel():
        return id(tensor)  # all of these lie at address 0
    return (tensor.device, tensor.data_ptr(), tensor.dtype, tuple(tensor.shape), tensor.stride())


def _digest(tensor: Any, one_hash: Hasher, pool: ThreadPoolExecutor) -> str:
    head = f"{dtype_name(tensor)} {list(tensor.shape)}\n".encode()
    return one_hash(head + b"".join(pool.map(one_hash, _pieces(tensor)))).hex()


def _pieces(tensor: Any) -> Iterator[memoryview]:
    import torch

    flat = tensor.detach().to("cpu").contiguous().reshape(-1).view(torch.uint8)
    data = memoryview(flat.numpy())
    return (data[at : at + PIECE] for at in range(0, len(data), PIECE))


def _is_finite(tensor: Any) -> bool:
    import torch

    if not tensor.is_floating_point() or not tensor.numel():
        return True
    low, high = torch.aminmax(tensor.detach())  # NaN wins over every number
    return bool(torch.isfinite(low) and torch.isfinite(high))


def dtype_name(tensor: Any) -> str:
    """Such as `float32`."""
    return str(tensor.dtype).removeprefix("torch.")
