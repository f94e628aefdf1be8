"""Weight files that contradict each other: one row for each fault, and one for each sound folder."""

import json
import os
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file

from runners.worker.evidence.loaded_weights import unlike_file
from runners.worker.evidence.weight_files import Tensors, conflicts

SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
INDEX = "model.safetensors.index.json"


def tensors(seed=0, dtype=torch.float32):
    draw = torch.Generator().manual_seed(seed)
    return {name: torch.rand(4, generator=draw).to(dtype) for name in "abcd"}


def sharded(folder, first, second, placed=None):
    save_file(first, folder / SHARDS[0])
    save_file(second, folder / SHARDS[1])
    placed = placed or {**dict.fromkeys(first, SHARDS[0]), **dict.fromkeys(second, SHARDS[1])}
    (folder / INDEX).write_text(json.dumps({"weight_map": placed}))


def halves(seed=0):
    whole = tensors(seed)
    return {name: whole[name] for name in "ab"}, {name: whole[name] for name in "cd"}


def stale(folder):
    one, two = halves()
    sharded(
        folder,
        one,
        two | {"a": torch.zeros(4)},
        dict.fromkeys("ab", SHARDS[0]) | dict.fromkeys("cd", SHARDS[1]),
    )


def repeated(folder):
    one, two = halves()
    sharded(
        folder, one, two | {"a": one["a"]}, dict.fromkeys("ab", SHARDS[0]) | dict.fromkeys("cd", SHARDS[1])
    )


def omitted(folder):
    sharded(folder, *halves(), dict.fromkeys("ab", SHARDS[0]) | {"c": SHARDS[1]})


def computed_is_omitted(folder):
    one, two = halves()
    sharded(
        folder,
        one,
        two | {"e.position_ids": torch.arange(3)},
        dict.fromkeys("ab", SHARDS[0]) | dict.fromkeys("cd", SHARDS[1]),
    )


def both_formats(folder, other, suffix=".bin"):
    save_file(tensors(), folder / "model.safetensors")
    if suffix == ".bin":
        torch.save(other, folder / "pytorch_model.bin")
    os.utime(folder / "model.safetensors", (1, 1))


def shards_beside_one_file(folder, seed):
    sharded(folder, *halves(seed))
    save_file(tensors(), folder / "model.safetensors")


def stray(folder):
    save_file(tensors(), folder / "model.safetensors")
    save_file(tensors(1), folder / "model-00001-of-00003.safetensors")


ROWS = {
    "one file": (lambda f: save_file(tensors(), f / "model.safetensors"), None, "", ""),
    "shards": (lambda f: sharded(f, *halves()), None, "", ""),
    "stale tensor": (stale, "conflicts", SHARDS[1], "holds a with other values than"),
    "repeated tensor": (repeated, "leftovers", SHARDS[1], "repeats a of"),
    "index leaves one out": (omitted, "conflicts", INDEX, "leaves out d:"),
    "index leaves out a computed buffer": (computed_is_omitted, None, "", ""),
    "newer pickle": (
        lambda f: both_formats(f, tensors(1)),
        "leftovers",
        "pytorch_model.bin",
        "holds other values for 4 tensors (such as a); model.safetensors is loaded, although",
    ),
    "pickle of other names": (
        lambda f: both_formats(f, {"z": torch.ones(1)}),
        "leftovers",
        "pytorch_model.bin",
        "tensors of other names",
    ),
    "equal pickle": (lambda f: both_formats(f, tensors()), None, "", ""),
    "equal pickle in half precision": (lambda f: both_formats(f, tensors(dtype=torch.float16)), None, "", ""),
    "equal pickle with a tied copy": (
        lambda f: both_formats(f, tensors() | {"tied": torch.ones(2)}),
        None,
        "",
        "",
    ),
    "unreadable pickle": (lambda f: both_formats(f, {"a": object()}), None, "", ""),
    "older shards": (lambda f: shards_beside_one_file(f, 1), "leftovers", INDEX, "holds other values"),
    "the same in shards": (lambda f: shards_beside_one_file(f, 0), None, "", ""),
    "stray shard": (stray, "leftovers", "model-00001-of-00003.safetensors", "another save left it"),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
def test_weight_files_that_contradict_each_other(row, tmp_path):
    make, kind, file, words = ROWS[row]
    make(tmp_path)
    found = conflicts(tmp_path)
    assert [(name, list(files)) for name, files in found.items() if files] == (
        [(kind, [file])] if kind else []
    )
    if kind:
        assert words in found[kind][file]


class Model(torch.nn.Module):
    """A model with a tied head, a computed buffer and a base class."""

    base_model_prefix = "model"
    _tied_weights_keys = ("head.weight",)
    _keys_to_ignore_on_save = ("model.positions.weight",)

    def __init__(self, *, tie=True, quantized=None):
        super().__init__()
        torch.manual_seed(0)
        self.model = torch.nn.ModuleDict(
            {
                "embed": torch.nn.Embedding(4, 2),
                "fc": torch.nn.Linear(2, 2),
                "positions": torch.nn.Embedding(3, 2),
            }
        )
        self.head = torch.nn.Linear(2, 4, bias=False)
        self.head.weight = self.model["embed"].weight
        self.config = SimpleNamespace(
            tie_word_embeddings=tie, quantization_config=quantized, model_type="own"
        )


OTHER = torch.full((4, 2), 9.0)
COMPARED = {
    "equal": ({}, {}, []),
    "another value": ({"model.fc.bias": torch.ones(2)}, {}, ["model.fc.bias"]),
    "half precision": ({"model.fc.bias": "half"}, {}, []),
    "without the prefix": ({"fc.bias": torch.ones(2)}, {}, ["fc.bias"]),
    "a name of its own": ({"else": torch.ones(2)}, {}, []),
    "ignored": ({"model.positions.weight": torch.ones(3, 2)}, {}, []),
    "reported already": ({"model.fc.bias": torch.ones(3)}, {}, []),
    "stale copy of the tied head": ({"head.weight": OTHER}, {}, []),
    "stale source of the tied head": (
        {"head.weight": "embed", "model.embed.weight": OTHER},
        {},
        ["model.embed.weight"],
    ),
    "untied in the config": ({"head.weight": OTHER}, {"tie": False}, ["head.weight"]),
    "both copies differ": (
        {"head.weight": OTHER, "model.embed.weight": OTHER},
        {},
        ["head.weight", "model.embed.weight"],
    ),
    "quantized": ({"model.fc.bias": torch.ones(2)}, {"quantized": {"bits": 4}}, None),
}


@pytest.mark.parametrize("row", COMPARED)
def test_a_loaded_model_is_compared_with_its_file(row):
    changes, options, expected = COMPARED[row]
    model = Model(**options)
    state = {name: tensor.clone() for name, tensor in model.state_dict().items() if name != "head.weight"}
    values = {"half": state["model.fc.bias"].half(), "embed": state["model.embed.weight"]}
    changes = {name: values[one] if isinstance(one, str) else one for name, one in changes.items()}
    if changes.get("model.fc.bias") is values["half"]:
        model.model["fc"].bias.data = values["half"].float()
    found = unlike_file(model, state | changes, {"model.fc.bias"} if row == "reported already" else ())
    assert (found if found is None else sorted(found)) == expected


def test_tensors_are_read_from_either_format(tmp_path):
    save_file(tensors(), tmp_path / "a.safetensors")
    torch.save({**tensors(), "step": 3}, tmp_path / "a.bin")
    safe, pickled = Tensors(tmp_path / "a.safetensors"), Tensors(tmp_path / "a.bin")
    assert sorted(safe) == sorted(pickled) == list("abcd")
    assert all(torch.equal(safe[name], pickled[name]) for name in safe)
