"""Kinds of bad checkpoint: each function damages a copy of a sound Marian with evidence, in place."""

import json
import os
import pickle
import shutil
import struct
import zipfile
from pathlib import Path

HEAD, CONFIG, GENERATION = "model.safetensors", "config.json", "generation_config.json"
EVIDENCE = "ledger/evidence.json"


def edit(folder: Path, name: str, **changes):
    path = folder / name
    content = json.loads(path.read_text("utf-8")) | changes
    path.write_text(json.dumps(content), "utf-8")


def edit_evidence(folder: Path, change):
    content = json.loads((folder / EVIDENCE).read_text("utf-8"))
    change(content)
    (folder / EVIDENCE).write_text(json.dumps(content), "utf-8")


def replace(folder: Path, name: str, data: bytes):
    (folder / name).write_bytes(data)


def header(folder: Path, change):
    """Rewrite the header of the weights' file."""
    data = (folder / HEAD).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    table = json.loads(data[8 : 8 + length])
    change(table)
    text = json.dumps(table).encode()
    (folder / HEAD).write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])


def tensors(folder: Path, change):
    from safetensors.torch import load_file, save_file

    content = load_file(folder / HEAD)
    change(content)
    save_file(content, folder / HEAD, metadata={"format": "pt"})


def index(folder: Path, shard: str):
    names = {"a.weight": shard}
    (folder / HEAD).rename(folder / "model-00001-of-00001.safetensors")
    (folder / f"{HEAD}.index.json").write_text(json.dumps({"weight_map": names}))


def fifo(folder: Path, name: str):
    (folder / name).unlink()
    os.mkfifo(folder / name)


def loop(folder: Path, name: str):
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(name)


def bomb(folder: Path):
    """A small archive that unpacks to 64 MiB."""
    (folder / HEAD).unlink()
    with (
        zipfile.ZipFile(folder / "pytorch_model.bin", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file,
        file.open("archive/data.pkl", "w") as inside,
    ):
        for _ in range(64):
            inside.write(bytes(1 << 20))


def all_empty(content):
    content.update({name: one.new_empty(0) for name, one in content.items() if one.numel() > 64})


def nan(content):
    content["model.encoder.layers.0.fc1.weight"][0, 0] = float("nan")


def one_row_less(content):
    name = "model.encoder.layers.0.fc1.weight"
    content[name] = content[name][1:].clone()


def as_a_folder(folder: Path, name: str):
    (folder / name).unlink()
    (folder / name).mkdir()


def plain_pickle(folder: Path):
    (folder / HEAD).unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps({"a": 1}))


def no_tokenizer(folder: Path):
    for pattern in ("*token*", "*.spm", "vocab.json"):
        for path in folder.glob(pattern):
            path.unlink()


# Kind -> (what makes it, what the row says of it). Seen without loading anything.
FILES = {
    "cut weights": (lambda f: os.truncate(f / HEAD, 1000), HEAD),
    "empty weights": (lambda f: replace(f, HEAD, b""), HEAD),
    "a folder for weights": (lambda f: as_a_folder(f, HEAD), HEAD),
    "a folder for a config": (lambda f: as_a_folder(f, CONFIG), CONFIG),
    "a pipe for weights": (lambda f: fifo(f, HEAD), HEAD),
    "a pipe for a config": (lambda f: fifo(f, CONFIG), CONFIG),
    "a pipe for a tokenizer": (lambda f: fifo(f, "vocab.json"), "vocab.json"),
    "a pipe for evidence": (lambda f: fifo(f, EVIDENCE), EVIDENCE),
    "a link loop": (lambda f: loop(f, "extra.json"), "extra.json"),
    "a link loop for a config": (lambda f: loop(f, CONFIG), CONFIG),
    "an endless file": (lambda f: ((f / CONFIG).unlink(), (f / CONFIG).symlink_to("/dev/zero")), CONFIG),
    "a huge config": (lambda f: os.truncate(f / CONFIG, 1 << 40), CONFIG),
    "an index of nothing": (lambda f: index(f, "nowhere.safetensors"), "nowhere.safetensors"),
    "an index out of the folder": (lambda f: index(f, "../x.safetensors"), "../x.safetensors"),
    "an index of an absolute file": (lambda f: index(f, "/etc/passwd"), "/etc/passwd"),
    "a cut config": (lambda f: os.truncate(f / CONFIG, 30), CONFIG),
    "a config in another encoding": (lambda f: replace(f, CONFIG, '{"a": "é"}'.encode("latin-1")), CONFIG),
    "a config that is a list": (lambda f: replace(f, CONFIG, b"[]"), CONFIG),
    "a config without content": (lambda f: replace(f, CONFIG, b"{}"), CONFIG),
    "a deep config": (lambda f: replace(f, CONFIG, b"[" * 200_000), CONFIG),
    "a config of a million layers": (lambda f: edit(f, CONFIG, encoder_layers=1_000_000), CONFIG),
    "a vocabulary of 90 million": (lambda f: edit(f, CONFIG, vocab_size=90_000_000), CONFIG),
    "a negative size": (lambda f: edit(f, CONFIG, d_model=-64), CONFIG),
    "a size in words": (lambda f: edit(f, CONFIG, d_model="large"), CONFIG),
    "no heads": (lambda f: edit(f, CONFIG, encoder_attention_heads=0), ""),
    "5,000 beams": (lambda f: edit(f, CONFIG, num_beams=5000), CONFIG),
    "5,000 beams to generate": (lambda f: edit(f, GENERATION, num_beams=5000), GENERATION),
    "an unknown data type": (lambda f: edit(f, CONFIG, dtype="float99", torch_dtype="float99"), ""),
    "a broken generation config": (lambda f: replace(f, GENERATION, b"{"), GENERATION),
    "a tokenizer config that is a list": (lambda f: replace(f, "tokenizer_config.json", b"[]"), "tokenizer"),
    "a probe of zeros": (lambda f: replace(f, "ledger/probe.safetensors", bytes(99)), ""),
    "empty tensors": (lambda f: tensors(f, all_empty), "empty"),
    "offsets without end": (
        lambda f: header(f, lambda t: t["final_logits_bias"].update(data_offsets=[0, 1e999])),
        HEAD,
    ),
    "a huge header": (lambda f: replace(f, HEAD, struct.pack("<Q", 2**63) + bytes(100)), HEAD),
    "a deep header": (lambda f: replace(f, HEAD, struct.pack("<Q", 200_000) + b"[" * 200_000), HEAD),
    "a zip bomb": (bomb, "pytorch_model.bin"),
    "a plain pickle": (plain_pickle, "pytorch_model.bin"),
    "its ledger elsewhere": (
        lambda f: ((f / "ledger").rename(f.parent / "elsewhere"), (f / "ledger").symlink_to("../elsewhere")),
        "ledger",
    ),
}

# Seen when the evidence is read or the model is loaded.
LOADED = {
    "an unknown model": (lambda f: edit(f, CONFIG, model_type="nonesuch", architectures=["X"]), "nonesuch"),
    "an unknown activation": (lambda f: edit(f, CONFIG, activation_function="none such"), ""),
    "a generation config of words": (lambda f: edit(f, GENERATION, max_length="long"), ""),
    "a broken tokenizer": (lambda f: replace(f, "vocab.json", b"{"), "tokenizer"),
    "a tokenizer of zeros": (lambda f: replace(f, "source.spm", bytes(1000)), "tokenizer"),
    "no tokenizer": (no_tokenizer, "tokenizer"),
    "broken evidence": (lambda f: replace(f, EVIDENCE, b'{"v": 1, "ti'), EVIDENCE),
    "evidence that is a list": (lambda f: replace(f, EVIDENCE, b"[]"), "evidence"),
    "evidence of a billion threads": (
        lambda f: edit_evidence(f, lambda e: e["recipe"].update(threads=10**9)),
        EVIDENCE,
    ),
    "evidence of 5,000 beams": (
        lambda f: edit_evidence(f, lambda e: e["snapshot"]["sample"]["settings"].update(num_beams=5000)),
        EVIDENCE,
    ),
    "evidence of absurd rows": (
        lambda f: edit_evidence(f, lambda e: e["recipe"].update(rows=[[10**12], "x"])),
        EVIDENCE,
    ),
    "evidence with no recipe": (lambda f: edit_evidence(f, lambda e: e.update(recipe=5)), "evidence"),
    "NaN": (lambda f: tensors(f, nan), "NaN"),
    "another shape": (lambda f: tensors(f, one_row_less), "shape"),
    "an unknown type of tensor": (
        lambda f: header(f, lambda t: t["final_logits_bias"].update(dtype="F99")),
        HEAD,
    ),
}

# Not a checkpoint at all, which is only inconclusive.
FOLDERS = {
    "no folder": (shutil.rmtree, "does not exist"),
    "a file": (lambda f: (shutil.rmtree(f), f.write_text("x")), "is a file"),
    "a run's folder": (
        lambda f: (shutil.rmtree(f), (f / "checkpoint-50").mkdir(parents=True)),
        "is not a checkpoint: it holds checkpoint-50",
    ),
    "a classifier": (  # with evidence of its save, it is looked at
        lambda f: (
            shutil.rmtree(f / "ledger"),
            edit(f, CONFIG, architectures=["BertForSequenceClassification"]),
        ),
        "unsupported checkpoint type",
    ),
}
