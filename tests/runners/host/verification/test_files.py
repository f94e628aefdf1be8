"""What is seen of a folder without loading it: one row for each fault, and none for healthy ones."""

import json
import pickle
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.worker.evidence.checkpoint_files import WHOLE, inspect_folder, stored_dtype, weight_files
from runners.worker.evidence.safetensors_header import BrokenFileError, read_header


def safetensors(tensors, extra=b""):
    """The bytes of a safetensors file: name -> (dtype, shape, bytes)."""
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {
            "dtype": dtype,
            "shape": shape,
            "data_offsets": [len(data), len(data) + len(content)],
        }
        data += content
    head = json.dumps(header).encode()
    return struct.pack("<Q", len(head)) + head + data + extra


TWO = {"a": ("F32", [2, 2], bytes(16)), "b": ("BF16", [3], bytes(6))}


@pytest.fixture
def folder(tmp_path):
    """A sound folder; the weights' bytes are not real weights, which nothing here looks at."""
    folder = tmp_path / "checkpoint-1"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "marian"}')
    (folder / "model.safetensors").write_bytes(safetensors(TWO))
    return folder


def weights(folder):
    return folder / "model.safetensors"


def no_weights(folder, *names):
    weights(folder).unlink()
    for name in names:
        (folder / name).write_bytes(b"x")


def no_file_at_all(folder):
    for path in folder.iterdir():
        path.unlink()


def sharded(folder, *, lost=False, stray=False):
    weights(folder).rename(folder / "model-00001-of-00002.safetensors")
    if not lost:
        (folder / "model-00002-of-00002.safetensors").write_bytes(
            safetensors({"d" if stray else "c": ("F32", [1], bytes(4))})
        )
    table = {"a": "model-00001-of-00002.safetensors", "c": "model-00002-of-00002.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": table}))


def archive(folder, end=None):
    weights(folder).unlink()
    with zipfile.ZipFile(folder / "pytorch_model.bin", "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps({}))
    data = (folder / "pytorch_model.bin").read_bytes()
    (folder / "pytorch_model.bin").write_bytes(data[:end])


def plain_pickle(folder):
    weights(folder).unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps({"a": 1}))


def flip(folder, at):
    data = bytearray(weights(folder).read_bytes())
    data[at] ^= 0xFF
    weights(folder).write_bytes(bytes(data))


def config(folder, text, name="config.json"):
    (folder / name).write_text(text)


def beyond_vocabulary(folder):
    config(folder, '{"model_type": "marian", "vocab_size": 100, "pad_token_id": 100, "eos_token_id": 99}')
    config(folder, '{"eos_token_id": [0, 100]}', "generation_config.json")


POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 123456\n"
PAGE = "\n<!DOCTYPE html><html>Sign in</html>"

FAULTS = {
    "empty folder": (no_file_at_all, WHOLE, "is empty"),
    "no weights": (no_weights, WHOLE, "holds no weights"),
    "optimizer only": (lambda f: no_weights(f, "optimizer.pt"), WHOLE, "optimizer's state"),
    "adapter": (lambda f: no_weights(f, "adapter_config.json"), WHOLE, "adapter"),
    "another framework": (lambda f: no_weights(f, "tf_model.h5"), WHOLE, "another framework"),
    "no config": (lambda f: (f / "config.json").unlink(), "config.json", "is missing"),
    "cut config": (lambda f: config(f, '{"model_type": "ma'), "config.json", "not valid JSON"),
    "config is a list": (lambda f: config(f, "[]"), "config.json", "not a JSON object"),
    "cut generation config": (
        lambda f: config(f, "{", "generation_config.json"),
        "generation_config.json",
        "not valid JSON",
    ),
    "bytes too many": (
        lambda f: weights(f).write_bytes(safetensors(TWO, b"more")),
        "model.safetensors",
        "4 bytes too many",
    ),
    "a hole": (
        lambda f: weights(f).write_bytes(safetensors({"a": ("F32", [3], bytes(16))})),
        "model.safetensors",
        "is not where it should be",
    ),
    "nothing inside": (
        lambda f: weights(f).write_bytes(safetensors({})),
        "model.safetensors",
        "holds no tensor",
    ),
    "zero bytes": (lambda f: weights(f).write_bytes(b""), "model.safetensors", "has 0 bytes"),
    "damaged length": (lambda f: flip(f, 5), "model.safetensors", "header"),
    "damaged header": (lambda f: flip(f, 9), "model.safetensors", "header"),
    "a shard is lost": (lambda f: sharded(f, lost=True), "model-00002-of-00002.safetensors", "is missing"),
    "a shard of another save": (
        lambda f: sharded(f, stray=True),
        "model-00002-of-00002.safetensors",
        "lacks 1 tensors",
    ),
    "cut archive": (lambda f: archive(f, -30), "pytorch_model.bin", "cut off"),
    "empty archive": (lambda f: archive(f, 0), "pytorch_model.bin", "cut off"),
    "a token beyond the vocabulary": (
        beyond_vocabulary,
        "generation_config.json",
        "eos_token_id is 100, and the vocabulary has 100 tokens",
    ),
    "8-bit weights without quantisation": (
        lambda f: weights(f).write_bytes(safetensors({"a.weight": ("I8", [2, 3], bytes(6))})),
        "config.json",
        "1 of 1 tensors are 8-bit integers",
    ),
    "weights of git lfs": (lambda f: weights(f).write_text(POINTER), "model.safetensors", "git lfs pull"),
    "vocabulary of git lfs": (lambda f: config(f, POINTER, "source.spm"), "source.spm", "git lfs pull"),
    "weights of a login form": (lambda f: weights(f).write_text(PAGE), "model.safetensors", "a web page"),
    "config of a login form": (lambda f: config(f, PAGE), "config.json", "a web page"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_by_file(fault, folder):
    make, file, words = FAULTS[fault]
    make(folder)
    seen = inspect_folder(folder)
    assert words in seen["problems"][file]
    assert not seen["refusals"]


REFUSED = {
    "plain pickle": (plain_pickle, "pytorch_model.bin", "could run code"),
    "code of its own": (
        lambda f: config(f, '{"auto_map": {"AutoModel": "evil.Model"}}'),
        "config.json",
        "never run",
    ),
    "tokenizer with code": (
        lambda f: config(f, '{"auto_map": {"AutoTokenizer": ["evil.T", null]}}', "tokenizer_config.json"),
        "tokenizer_config.json",
        "never run",
    ),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_what_would_have_to_be_trusted_is_refused(fault, folder):
    make, file, words = REFUSED[fault]
    make(folder)
    assert words in inspect_folder(folder)["refusals"][file]


@pytest.mark.parametrize("change", [lambda _: None, sharded, archive], ids=["single", "sharded", "archive"])
def test_a_sound_folder_has_no_fault(change, folder):
    change(folder)
    seen = inspect_folder(folder)
    assert (seen["problems"], seen["refusals"]) == ({}, {})
    assert seen["bytes"] > 50


def test_a_link_out_of_the_folder_is_refused_and_not_looked_at(folder, tmp_path):
    outside = tmp_path / "outside.safetensors"
    weights(folder).rename(outside)
    weights(folder).symlink_to(outside)
    seen = inspect_folder(folder)
    assert str(outside) in seen["refusals"]["model.safetensors"]
    assert seen["format"] == "none"


def test_a_linked_folder_is_refused(folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (folder / "more").symlink_to(tmp_path / "elsewhere")
    assert "more" in inspect_folder(folder)["refusals"]


def test_a_link_inside_the_folder_is_fine(folder):
    (folder / "again.json").symlink_to("config.json")
    assert not inspect_folder(folder)["refusals"]


def test_the_hub_caches_own_links_are_fine(folder, tmp_path):
    snapshot = tmp_path / "models--a--b" / "snapshots" / "0123"
    blobs = tmp_path / "models--a--b" / "blobs"
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for path in folder.iterdir():
        path.rename(blobs / path.name)
        (snapshot / path.name).symlink_to(Path("../../blobs") / path.name)
    seen = inspect_folder(snapshot)
    assert (seen["format"], seen["refusals"], seen["problems"]) == ("safetensors", {}, {})


@pytest.mark.parametrize(
    ("note", "found"),
    [
        ('{"file": "a.ckpt", "prefix": null}', {}),
        ('{"file": "b.ckpt", "prefix": "model."}', {"b.ckpt"}),
        ('{"file": "../a.ckpt", "prefix": null}', {"ledger/lightning.json"}),
        ('{"file": 3, "prefix": null}', {"ledger/lightning.json"}),
        ("[]", {"ledger/lightning.json"}),
        ("{", {"ledger/lightning.json"}),
    ],
)
def test_the_note_of_a_checkpoint_of_lightning(tmp_path, note, found):
    (tmp_path / "ledger").mkdir()
    (tmp_path / "a.ckpt").touch()
    (tmp_path / "ledger" / "lightning.json").write_text(note)
    seen = inspect_folder(tmp_path)
    assert {**seen["problems"], **seen["refusals"]}.keys() == set(found)


def test_a_tokenizer_cannot_name_a_file_elsewhere(folder):
    (folder.parent / "vocab.json").touch()
    config(folder, '{"vocab_file": "../vocab.json"}', "tokenizer_config.json")
    assert "tokenizer_config.json" in inspect_folder(folder)["refusals"]
    config(folder, '{"vocab_file": "/home/somebody/vocab.json"}', "tokenizer_config.json")
    assert not inspect_folder(folder)["refusals"], (
        "a name that is left from where it was made is no file here"
    )


@pytest.mark.parametrize(
    ("asked", "dtype", "misfits"),
    [
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, "F32", True),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, "U8", False),
        ({"quant_method": "gptq", "bits": 4}, "F16", True),
        ({"quant_method": "gptq", "bits": 4}, "I32", False),
        ({"load_in_8bit": True}, "BF16", True),
        ({"quant_method": "bitsandbytes", "load_in_8bit": False}, "F32", False),
        ({"quant_method": "bitnet"}, "BF16", False),
        (None, "F32", False),
    ],
)
def test_a_config_that_asks_for_a_quantisation_that_the_tensors_lack(folder, asked, dtype, misfits):
    size = {"F32": 4, "F16": 2, "BF16": 2, "U8": 1, "I32": 4}[dtype]
    weights(folder).write_bytes(safetensors({"a.weight": (dtype, [2, 2], bytes(4 * size))}))
    config(folder, json.dumps({"model_type": "marian", "quantization_config": asked}))
    assert ("not quantised" in inspect_folder(folder)["problems"].get("config.json", "")) == misfits


@pytest.mark.parametrize(
    "harmless",
    [
        {"vocab_size": 50_000, "d_model": 512, "encoder_layers": 0, "num_beams": 12, "dtype": "bfloat16"},
        {"torch_dtype": "torch.float16", "max_length": 512, "num_heads": None, "hidden_size": 1024},
        {"id2label": {"0": "a"}, "layerdrop": 0.0, "max_position_embeddings": 4096, "bos_token_id": -1},
    ],
)
def test_sizes_that_models_have(folder, harmless):
    config(folder, json.dumps({"model_type": "marian", **harmless}))
    assert not inspect_folder(folder)["problems"]


def test_an_index_cannot_name_a_file_elsewhere(folder):
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../../secret.safetensors"}}')
    weights(folder).unlink()
    assert weight_files(folder) == []
    assert "model.safetensors.index.json" in inspect_folder(folder)["refusals"]


@pytest.mark.parametrize(("there", "words"), [(False, "does not exist"), (True, "is not a folder")])
def test_no_folder(there, words, tmp_path):
    if there:
        (tmp_path / "x").write_text("")
    assert inspect_folder(tmp_path / "x")["problems"] == {WHOLE: words}


def test_the_widest_dtype_is_the_files(folder):
    assert stored_dtype(folder) == "float32"
    weights(folder).write_bytes(safetensors({"b": TWO["b"], "i": ("I64", [1], bytes(8))}))
    assert stored_dtype(folder) == "bfloat16"


WHOLE_FILE = safetensors(TWO)


@given(st.integers(0, len(WHOLE_FILE) - 1))
def test_a_file_cut_anywhere_is_broken(tmp_path_factory, end):
    path = tmp_path_factory.mktemp("cut") / "model.safetensors"
    path.write_bytes(WHOLE_FILE[:end])
    with pytest.raises(BrokenFileError):
        read_header(path)


def test_a_header_is_read_as_the_library_writes_it(tmp_path):
    import torch
    from safetensors.torch import save_file

    save_file({"x": torch.zeros(2, 3, dtype=torch.float16), "y": torch.zeros(())}, tmp_path / "m")
    header = read_header(tmp_path / "m")
    assert (header["x"].dtype, header["x"].shape, header["y"].shape) == ("F16", (2, 3), ())
