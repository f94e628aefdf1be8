"""Finds the tokenizer of a training in what its script keeps: a module, a data set, the function that makes
its batches."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from types import FunctionType, MethodType, ModuleType
from typing import Any

DEPTH = 3  # an attribute of what a partial function is bound to


def find_tokenizer(*places: Any) -> Any:
    """The tokenizer in the first of the places that has one; None where it has several that differ.

    What is nearer counts: an attribute of the place before an attribute of its attribute.
    """
    for place in places:
        level, seen = [place], {id(place)}
        for _ in range(DEPTH + 1):
            if found := [one for one in level if is_tokenizer(one)]:
                return found[0] if all(_same(found[0], other) for other in found[1:]) else None
            below = {id(part): part for value in level for part in _parts(value)}
            level = [part for number, part in below.items() if number not in seen]
            seen |= below.keys()
    return None


def is_tokenizer(value: Any) -> bool:
    """Whether its class has what evidence is recorded with; an instance may answer to any name."""
    return all(callable(getattr(type(value), name, None)) for name in ("batch_decode", "get_vocab"))


def first_loader(loaders: Any) -> Any:
    """The first data loader of a Lightning training, which may have several in a list or a mapping."""
    while isinstance(loaders, (Mapping, Sequence)) and loaders:
        loaders = next(iter(loaders.values())) if isinstance(loaders, Mapping) else loaders[0]
    return loaders


def _parts(value: Any) -> Iterator[Any]:
    """What an object keeps; of a function, what it was made with and the globals that it names."""
    if isinstance(value, functools.partial):
        yield from (value.func, *value.args, *value.keywords.values())
    elif isinstance(value, MethodType):
        yield value.__self__
    elif isinstance(value, FunctionType):
        named = value.__globals__
        yield from (cell.cell_contents for cell in value.__closure__ or () if _is_filled(cell))
        yield from (named[name] for name in value.__code__.co_names if name in named)
    elif not isinstance(value, (type, ModuleType)):
        yield from dict(getattr(value, "__dict__", {})).values()


def _is_filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _same(one: Any, other: Any) -> bool:
    return one is other or (type(one) is type(other) and bool(one.get_vocab() == other.get_vocab()))
