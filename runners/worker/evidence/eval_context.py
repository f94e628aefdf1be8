"""Evaluating a model in the middle of its training, without side effects."""

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

_UNSET = object()


def unwrap(model: Any) -> Any:
    """The model inside torch's wrappers (DataParallel, DDP, torch.compile)."""
    while True:
        inner = getattr(model, "_orig_mod", None)
        if inner is None and type(model).__name__ in {"DataParallel", "DistributedDataParallel"}:
            inner = model.module
        if inner is None:
            return model
        model = inner


@contextmanager
def eval_context(model: Any) -> Iterator[None]:
    """Evaluation mode, no gradients, no autocast; modes and random states are restored afterwards."""
    import torch

    modes = [(module, module.training) for module in model.modules()]
    with ExitStack() as stack:
        stack.enter_context(_random_states())
        stack.enter_context(torch.no_grad())
        stack.enter_context(torch.autocast(device_type=model.device.type, enabled=False))
        stack.enter_context(_plain_forward(model))
        stack.enter_context(_restored(model.config, "use_cache"))
        try:
            model.eval()
            yield
        finally:
            for module, training in modes:
                module.training = training


@contextmanager
def _random_states() -> Iterator[None]:
    import numpy
    import torch

    python, arrays = random.getstate(), numpy.random.get_state()
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    try:
        with torch.random.fork_rng(devices=devices):
            yield
    finally:
        random.setstate(python)
        numpy.random.set_state(arrays)


@contextmanager
def _plain_forward(model: Any) -> Iterator[None]:
    """Without the autocast that accelerate binds to `forward`, which no outer context turns off."""
    bound = model.__dict__.get("forward")
    original = model.__dict__.get("_original_forward")
    if bound is None or original is None:
        yield
        return
    model.forward = original
    try:
        yield
    finally:
        model.forward = bound


@contextmanager
def _restored(owner: Any, name: str) -> Iterator[None]:
    before = getattr(owner, name, _UNSET)
    try:
        yield
    finally:
        if before is not _UNSET:
            setattr(owner, name, before)
