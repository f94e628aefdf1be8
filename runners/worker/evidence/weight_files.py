"""The tensors in a folder's weight files, and which of these files contradict each other.

Nothing is unpickled but tensors. Only what the loader reads is loaded later; the other files may be left over
from another checkpoint.
"""

import json
import pickle
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from runners.worker.evidence.checkpoint_files import PICKLE, PICKLE_INDEX, SAFE, SAFE_INDEX

SHARD = re.compile(r"(model|pytorch_model)-\d+-of-\d+\.(safetensors|bin)")
# Buffers that some versions write and others compute: no index need name them.
COMPUTED = (".position_ids", ".inv_freq", ".masked_bias", "embed_positions.weights", ".version")


class Tensors(Mapping[str, Any]):
    """The tensors of one file, each read from disk when it is looked up."""

    def __init__(self, path: Path) -> None:
        """Raises OSError, or UnpicklingError for a pickle with more than tensors in it."""
        self.path = path
        if path.suffix == ".safetensors":
            from safetensors import safe_open

            file: Any = safe_open(path, "pt")
            self._names: tuple[str, ...] = tuple(file.keys())
            self._read: Callable[[str], Any] = file.get_tensor
        else:
            import torch

            state = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
            found = {name: value for name, value in state.items() if hasattr(value, "data_ptr")}
            self._names, self._read = tuple(found), found.__getitem__

    def __getitem__(self, name: str) -> Any:
        return self._read(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def sources(folder: Path) -> dict[str, list[Path]]:
    """The weights in the folder, by the file that names them, the one that is loaded first; each with the
    files that hold the tensors."""
    found = {}
    for single, index in ((SAFE, SAFE_INDEX), (PICKLE, PICKLE_INDEX)):
        if (folder / single).is_file():
            found[single] = [folder / single]
        if (folder / index).is_file():
            found[index] = [folder / name for name in sorted(set(_placed(folder / index).values()))]
    return found


def conflicts(folder: Path) -> dict[str, dict[str, str]]:
    """What contradicts the files that are loaded, by file.

    `conflicts`: a tensor is stored twice with different values, or the index leaves it out. `leftovers`: the
    file is not loaded and holds other weights, or repeats a tensor.
    """
    found: dict[str, dict[str, str]] = {"conflicts": {}, "leftovers": {}}
    (loaded, files), *others = sources(folder).items()
    opened = {path.name: Tensors(path) for path in files}
    if loaded.endswith(".json"):
        _check_index(loaded, _placed(folder / loaded), opened, found)
    for name, paths in others:
        if why := _other_weights(folder / loaded, opened, folder / name, paths):
            found["leftovers"][name] = why
    known = {path for paths in sources(folder).values() for path in paths}
    for path in sorted(folder.iterdir()):
        if SHARD.fullmatch(path.name) and path not in known:
            found["leftovers"][path.name] = f"is not part of {loaded}, which is loaded: another save left it"
    return found


def _placed(index: Path) -> dict[str, str]:
    try:
        return dict(json.loads(index.read_text(encoding="utf-8"))["weight_map"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # reported where it is the one that is loaded


def _check_index(
    index: str, placed: Mapping[str, str], opened: Mapping[str, Tensors], found: dict[str, dict[str, str]]
) -> None:
    omitted = [name for tensors in opened.values() for name in tensors if name not in placed]
    omitted = [name for name in omitted if not name.endswith(COMPUTED)]
    if omitted:
        found["conflicts"][index] = (
            f"leaves out {_some(omitted)}: some libraries load what is left out, others do not"
        )
    for shard, tensors in opened.items():
        twice = [name for name in tensors if placed.get(name, shard) != shard]
        stale = [name for name in twice if not same(tensors[name], opened[placed[name]][name])]
        if stale:
            found["conflicts"][shard] = (
                f"holds {_some(stale)} with other values than {placed[stale[0]]}, where {index} places "
                f"{'them' if len(stale) > 1 else 'it'}: the library decides which of the two is loaded"
            )
        elif twice:
            found["leftovers"][shard] = f"repeats {_some(twice)} of {placed[twice[0]]} with the same values"


def _other_weights(loaded: Path, opened: Mapping[str, Tensors], other: Path, paths: list[Path]) -> str | None:
    """How a second set of weights differs from the one that is loaded; None where they are the same."""
    ours = {name: tensors for tensors in opened.values() for name in tensors}
    try:
        theirs = {name: tensors for tensors in map(Tensors, paths) for name in tensors}
    except (OSError, RuntimeError, pickle.UnpicklingError):
        return None  # never loaded as long as the other file is there
    both = ours.keys() & theirs.keys()
    differ = [name for name in both if not same(ours[name][name], theirs[name][name])]
    if both and not differ:
        return None
    what = f"other values for {_some(differ)}" if differ else "tensors of other names"
    newer = other.stat().st_mtime_ns > loaded.stat().st_mtime_ns
    age = f"although {other.name} is the newer file" if newer else "the newer file"
    return f"holds {what}; {loaded.name} is loaded, {age}"


def same(one: Any, other: Any) -> bool:
    """Whether two tensors are equal in the narrower of their data types; equal NaN count as equal."""
    import torch

    if one.shape != other.shape:
        return False
    narrow = min(one, other, key=lambda tensor: tensor.element_size()).dtype
    return bool(torch.equal(one.to(narrow).nan_to_num(), other.to(narrow).nan_to_num()))


def _some(names: list[str]) -> str:
    first = min(names)
    return f"{len(names)} tensors (such as {first})" if len(names) > 1 else first
