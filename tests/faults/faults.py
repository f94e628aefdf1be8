"""The faults: each takes a copy of a good checkpoint and spoils it in one way, by code.

`FAULTS` says which good checkpoint each is made from, and which guards must fire on it: as errors, or in
`warns` as warnings. `TWINS` look like a fault and are sound.
"""

import json
import os
import pickle
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

WEIGHTS = "model.safetensors"
PAYLOAD = "payload-ran"


@dataclass(frozen=True)
class Fault:
    name: str
    of: str
    codes: frozenset[str]
    make: Callable[[Path, Path], None]  # the copy, and the folder with all good checkpoints
    warns: frozenset[str] = frozenset()

    def __str__(self):
        return f"{self.of}: {self.name}"


FAULTS: list[Fault] = []
TWINS: list[Fault] = []


def fault(name, of, *codes, warns="", evidence=True):
    """Put the function into the table, once for each good checkpoint in `of`."""

    def put(make):
        make = make if evidence else without_evidence(make)
        warned = frozenset(warns.split())
        FAULTS.extend(Fault(name, one, frozenset(codes), make, warned) for one in of.split())
        return make

    return put


def twin(name, of, *, evidence=True):
    """Put the function into the table of what is sound."""

    def put(make):
        made = make if evidence else without_evidence(make)
        TWINS.extend(Fault(name, one, frozenset(), made) for one in of.split())
        return make

    return put


def without_evidence(make):
    def spoil(folder, good):
        shutil.rmtree(folder / "ledger")
        make(folder, good)

    return spoil


def edit_weights(folder, change):
    tensors = load_file(folder / WEIGHTS)
    save_file(change(tensors) or tensors, folder / WEIGHTS, metadata={"format": "pt"})


def edit_json(folder, file, **changes):
    content = json.loads((folder / file).read_text(encoding="utf-8"))
    (folder / file).write_text(json.dumps({**content, **changes}), encoding="utf-8")


def cut(folder, keep):
    data = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(data[: int(len(data) * keep)])


# --- files


@fault("empty folder", "marian t5", "CKP001")
def empty(folder, _good):
    shutil.rmtree(folder)
    folder.mkdir()


@fault("optimizer only", "marian", "CKP001")
def optimizer_only(folder, _good):
    (folder / WEIGHTS).unlink()
    torch.save({"state": {}}, folder / "optimizer.pt")


@fault("truncated in the header", "mbart50", "CKP001")
def cut_in_header(folder, _good):
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:100])


@fault("truncated half-way", "m2m100", "CKP001")
def cut_half_way(folder, _good):
    cut(folder, 0.5)


@fault("the last byte is missing", "t5", "CKP001")
def cut_last_byte(folder, _good):
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-1])


@fault("weights of no bytes", "nllb", "CKP001")
def cut_all(folder, _good):
    cut(folder, 0)


@fault("a shard is missing", "marian", "CKP001")
def lost_shard(folder, _good):
    names = list(load_file(folder / WEIGHTS))
    (folder / WEIGHTS).rename(folder / "model-00001-of-00002.safetensors")
    shards = {name: f"model-0000{1 + (name == names[-1])}-of-00002.safetensors" for name in names}
    (folder / f"{WEIGHTS}.index.json").write_text(json.dumps({"weight_map": shards}), encoding="utf-8")


@fault("config cut off", "nllb", "CKP001")
def cut_config(folder, _good):
    text = (folder / "config.json").read_text(encoding="utf-8")
    (folder / "config.json").write_text(text[: len(text) // 2], encoding="utf-8")


# --- what would have to be trusted


class Payload:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


@fault("pickle with a payload", "marian", "CKP002")
def pickled_payload(folder, _good):
    (folder / WEIGHTS).unlink()
    torch.save({"weight": Payload(folder.parent / PAYLOAD)}, folder / "pytorch_model.bin")


@fault("plain pickle with a payload", "t5", "CKP002")
def plain_pickle(folder, _good):
    (folder / WEIGHTS).unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Payload(folder.parent / PAYLOAD)))


@fault("symlink out of the folder", "marian", "CKP002")
def link_out(folder, good):
    (folder / WEIGHTS).unlink()
    (folder / WEIGHTS).symlink_to(good / "marian/checkpoint-200" / WEIGHTS)


@fault("code of its own", "m2m100", "CKP002")
def remote_code(folder, _good):
    edit_json(folder, "config.json", auto_map={"AutoModelForSeq2SeqLM": "modeling.Model"})
    (folder / "modeling.py").write_text(f"open({str(folder.parent / PAYLOAD)!r}, 'w')\n", encoding="utf-8")


# --- tensors


@fault(
    "embedding zeroed", "marian marian-untied mbart50 m2m100 nllb t5", "CKP005", "CKP006", "CKP007", "CKP010"
)
def zeroed_embedding(folder, _good):
    def zero(tensors):
        for name, tensor in tensors.items():
            if "shared" in name or "embed_tokens" in name:
                tensor.zero_()

    edit_weights(folder, zero)


@fault("head missing", "marian-untied", "CKP003", "CKP005", "CKP006", "CKP007")
def lost_head(folder, _good):
    edit_weights(folder, lambda tensors: {k: v for k, v in tensors.items() if k != "lm_head.weight"})


@fault("wrong prefix", "marian mbart50 t5", "CKP003", "CKP005", "CKP006", "CKP007", "CKP010")
def wrong_prefix(folder, _good):
    edit_weights(folder, lambda tensors: {f"module.{name}": tensor for name, tensor in tensors.items()})


@fault("one flipped byte", "marian mbart50 m2m100 nllb t5", "CKP005", "CKP006")
def flipped_byte(folder, _good):
    # The sign and exponent of the very last number of the file.
    data = bytearray((folder / WEIGHTS).read_bytes())
    data[-1] ^= 0x80
    (folder / WEIGHTS).write_bytes(data)


@fault("the lowest bit of one number", "marian", "CKP005")
def flipped_bit(folder, _good):
    data = bytearray((folder / WEIGHTS).read_bytes())
    data[-4] ^= 0x01
    (folder / WEIGHTS).write_bytes(data)


@fault("NaN", "marian mbart50 m2m100 nllb t5", "CKP004", "CKP005", "CKP006")
def nan(folder, _good):
    def spoil(tensors):
        max(tensors.values(), key=torch.Tensor.numel).view(-1)[7::3] = float("nan")

    edit_weights(folder, spoil)


@fault("Inf from float16", "t5 nllb", "CKP004", "CKP006")
def infinite_in_half(folder, _good):
    def overflow(tensors):
        first = next(name for name in tensors if name.endswith(("fc1.weight", "wi.weight")))
        tensors[first] *= 1e6
        return {name: tensor.half() for name, tensor in tensors.items()}

    edit_weights(folder, overflow)


@fault("noise as of an average of weights", "marian m2m100", "CKP005", "CKP006")
def noise(folder, _good):
    def blur(tensors):
        torch.manual_seed(1)
        for tensor in tensors.values():
            tensor.add_(torch.randn_like(tensor), alpha=0.001 * float(tensor.abs().mean()))

    edit_weights(folder, blur)


@fault("untied head tied again", "marian-untied", "CKP005", "CKP006", "CKP007")
def tied_again(folder, _good):
    edit_json(folder, "config.json", tie_word_embeddings=True)


@fault("weights of another step", "mbart50", "CKP005", "CKP006")
def of_another_step(folder, good):
    shutil.copy(good / "mbart50/checkpoint-2" / WEIGHTS, folder / WEIGHTS)


# --- configuration


@fault("config of another width", "marian mbart50", "CKP003", "CKP006")
def other_width(folder, _good):
    edit_json(folder, "config.json", d_model=64)


@fault("config with a layer more", "m2m100", "CKP003")
def other_depth(folder, _good):
    edit_json(folder, "config.json", decoder_layers=2)


@fault("other number of heads", "marian nllb", "CKP006")
def other_heads(folder, _good):
    edit_json(folder, "config.json", encoder_attention_heads=4)


@fault("embedding scaled otherwise", "mbart50", "CKP006")
def other_scale(folder, _good):
    edit_json(folder, "config.json", scale_embedding=False)


@fault("wrong decoder_start_token_id", "marian t5", "CKP006", "CKP009")
def other_start(folder, _good):
    for file in ("config.json", "generation_config.json"):
        edit_json(folder, file, decoder_start_token_id=5)


@fault("wrong forced_bos_token_id", "mbart50 m2m100", "CKP009")
def forced_bos(folder, _good):
    edit_json(folder, "generation_config.json", forced_bos_token_id=7)


@fault("wrong max_length", "marian t5", "CKP009")
def other_max_length(folder, _good):
    edit_json(folder, "generation_config.json", max_length=5)


# --- tokenizer


@fault("another run's tokenizer", "marian m2m100 t5", "CKP008")
def other_tokenizer(folder, good):
    others = next((good / f"{folder.parent.name}-other").glob("checkpoint-*"))
    for path in others.iterdir():
        if path.is_file() and path.name not in {WEIGHTS, "config.json", "generation_config.json"}:
            shutil.copy(path, folder / path.name)
    edit_json(folder, "trainer_state.json", global_step=200)


@fault("vocabulary in another order", "marian", "CKP007", "CKP008", "CKP010")
def shuffled_vocabulary(folder, _good):
    pieces = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    ordinary = [piece for piece in pieces if not piece.startswith((">>", "<"))]
    swapped = dict(zip(ordinary, [pieces[piece] for piece in reversed(ordinary)], strict=True))
    (folder / "vocab.json").write_text(json.dumps({**pieces, **swapped}), encoding="utf-8")


@fault("a language code lost", "mbart50", "CKP008")
def lost_code(folder, _good):
    text = (folder / "tokenizer.json").read_text(encoding="utf-8")
    (folder / "tokenizer.json").write_text(text.replace("ja_XX", "xx_XX"), encoding="utf-8")


# --- what it says of itself


@fault("folder of another step", "marian", "CKP014")
def other_step(folder, _good):
    edit_json(folder, "trainer_state.json", global_step=784)


@fault("trainer_state.json cut off", "t5", "CKP014")
def cut_state(folder, _good):
    (folder / "trainer_state.json").write_text('{"global_step": 20', encoding="utf-8")


# --- files that contradict each other, or the loaded model

SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
older = "checkpoint-2"


def shard(folder, stale=None, left_out=()):
    """Cut the weights into two shards; `stale` are added to the second, `left_out` are not in the index."""
    tensors = load_file(folder / WEIGHTS)
    names = sorted(tensors)
    first, second = names[: len(names) // 2], names[len(names) // 2 :]
    placed = {**dict.fromkeys(first, SHARDS[0]), **dict.fromkeys(second, SHARDS[1])}
    for file, part in zip(SHARDS, (first, second), strict=True):
        more = {name: stale[name] for name in stale or {} if file == SHARDS[1] and name in first}
        save_file({name: tensors[name] for name in part} | more, folder / file, metadata={"format": "pt"})
    index = {
        "metadata": {},
        "weight_map": {name: file for name, file in placed.items() if not name.endswith(left_out)},
    }
    (folder / f"{WEIGHTS}.index.json").write_text(json.dumps(index), encoding="utf-8")
    (folder / WEIGHTS).unlink()


@fault("newer pickle beside older weights", "mbart50 t5", warns="CKP018", evidence=False)
def newer_pickle(folder, good):
    torch.save(load_file(folder / WEIGHTS), folder / "pytorch_model.bin")
    shutil.copy(good / folder.parent.name / older / WEIGHTS, folder / WEIGHTS)
    os.utime(folder / WEIGHTS, (1, 1))


@twin("the same weights in two formats", "mbart50", evidence=False)
def two_formats(folder, _good):
    torch.save(load_file(folder / WEIGHTS), folder / "pytorch_model.bin")


@fault("stale tensors in a later shard", "marian nllb", "CKP018", evidence=False)
def stale_shard(folder, good):
    shard(folder, stale=load_file(good / folder.parent.name / older / WEIGHTS))


@fault("names left out of the index", "marian", "CKP018", evidence=False)
def short_index(folder, _good):
    shard(folder, left_out=(".fc2.weight",))


@fault("shards of another save beside the weights", "t5", warns="CKP018", evidence=False)
def two_saves(folder, good):
    shard(folder)
    shutil.copy(good / "t5" / older / WEIGHTS, folder / WEIGHTS)


@twin("two shards", "marian t5")
def two_shards(folder, _good):
    shard(folder)


@twin("one pickle", "m2m100", evidence=False)
def one_pickle(folder, _good):
    torch.save(load_file(folder / WEIGHTS), folder / "pytorch_model.bin")
    (folder / WEIGHTS).unlink()


@fault("layers compiled one by one", "mbart50 marian", "CKP003", evidence=False)
def compiled_layers(folder, _good):
    edit_weights(
        folder, lambda tensors: {k.replace("layers.0.", "layers.0._orig_mod."): v for k, v in tensors.items()}
    )


@fault("untied matrices that the config shares", "marian-untied", "CKP019", evidence=False)
def shared_by_config(folder, _good):
    edit_json(folder, "config.json", share_encoder_decoder_embeddings=True)
    edit_weights(
        folder, lambda tensors: {**tensors, "model.shared.weight": tensors["lm_head.weight"].clone()}
    )


@twin("stale tied head", "marian mbart50 t5", evidence=False)
def stale_head(folder, _good):
    def add(tensors):
        shared = next(value for name, value in tensors.items() if name.endswith("shared.weight"))
        return {**tensors, "lm_head.weight": torch.zeros_like(shared)}

    edit_weights(folder, add)


@twin("computed positions in the file", "marian m2m100", evidence=False)
def stored_positions(folder, _good):
    def add(tensors):
        return {**tensors, "model.encoder.embed_positions.weights": torch.ones(4, 4)}

    edit_weights(folder, add)


# --- finite weights, logits that are not


@fault("activations beyond float16", "t5", "CKP004", evidence=False)
def overflowing(folder, _good):
    def scale(tensors):
        for name in tensors:
            if name.endswith("DenseReluDense.wi.weight"):
                tensors[name] *= 2.0**15
            if name.endswith("DenseReluDense.wo.weight"):
                tensors[name] /= 2.0**15
        return {name: tensor.half() for name, tensor in tensors.items()}

    edit_weights(folder, scale)


@twin("cast to float16", "t5 nllb", evidence=False)
def half(folder, _good):
    edit_weights(folder, lambda tensors: {name: tensor.half() for name, tensor in tensors.items()})


# --- a tokenizer that does not fit


@fault("sentencepiece model of another training", "t5", warns="CKP020")
def two_tokenizers(folder, good):
    other = next((good / "t5-other").glob("checkpoint-*"))
    shutil.copy(other / "spiece.model", folder)


def grow(folder, rows):
    """Add rows to every tensor of the vocabulary's size, as resize_token_embeddings does."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    size = config["vocab_size"]

    def add(tensors):
        for name, tensor in tensors.items():
            if size in tensor.shape:
                shape = [rows if n == size else 0 for n in tensor.shape]
                widths = [
                    n
                    for old, new in zip(reversed(tensor.shape), reversed(shape), strict=True)
                    for n in (0, max(0, new - old))
                ]
                tensors[name] = torch.nn.functional.pad(tensor, widths)

    edit_weights(folder, add)
    changes = {key: rows for key in ("vocab_size", "decoder_vocab_size") if key in config}
    edit_json(folder, "config.json", **changes)
    return size


@fault("tokens added, base tokenizer saved", "marian mbart50", warns="CKP020", evidence=False)
def grown_embedding(folder, _good):
    size = json.loads((folder / "config.json").read_text(encoding="utf-8"))["vocab_size"]
    grow(folder, size + 3 + (size % 2 == 1))


@twin("embedding padded to a multiple of 64", "marian mbart50 m2m100", evidence=False)
def padded_embedding(folder, _good):
    size = json.loads((folder / "config.json").read_text(encoding="utf-8"))["vocab_size"]
    grow(folder, -(-size // 64) * 64)


@fault("embedding without rows for the last tokens", "nllb", "CKP020", evidence=False)
def short_embedding(folder, _good):
    def cut_rows(tensors):
        return {
            name: tensor[:-40] if "shared" in name or "embed" in name else tensor
            for name, tensor in tensors.items()
        }

    size = json.loads((folder / "config.json").read_text(encoding="utf-8"))["vocab_size"]
    edit_weights(folder, cut_rows)
    edit_json(folder, "config.json", vocab_size=size - 40)


@fault("language code at the other end", "nllb", "CKP008")
def legacy_codes(folder, _good):
    edit_json(folder, "tokenizer_config.json", legacy_behaviour=True)


# --- a file that was copied, cast or joined with another's config, without evidence


@fault("second half of zeros", "mbart50", "CKP004", evidence=False)
def half_of_zeros(folder, _good):
    """As a download that broke off leaves a file whose space was reserved."""
    data = (folder / WEIGHTS).read_bytes()
    half = len(data) // 2
    (folder / WEIGHTS).write_bytes(data[:half] + bytes(len(data) - half))


@fault("embedding of another vocabulary", "marian", "CKP003", evidence=False)
def embedding_of_another_vocabulary(folder, _good):
    shared = {"model.shared.weight", "lm_head.weight"}
    edit_weights(
        folder, lambda tensors: {k: v[:-7].clone() if k in shared else v for k, v in tensors.items()}
    )


@fault("cast to 8-bit integers", "t5", "CKP001", evidence=False)
def cast_to_integers(folder, _good):
    edit_weights(
        folder, lambda tensors: {k: v.to(torch.int8) if v.ndim > 1 else v for k, v in tensors.items()}
    )


@fault("model_type of another architecture", "mbart50", "CKP001", evidence=False)
def model_type_of_another_architecture(folder, _good):
    edit_json(folder, "config.json", model_type="bart")


@fault("token beyond the vocabulary", "mbart50 t5", "CKP001", evidence=False)
def token_beyond_the_vocabulary(folder, _good):
    edit_json(folder, "generation_config.json", eos_token_id=999_999)


@twin("padding token beyond the vocabulary", "t5", evidence=False)
def padding_token_beyond_the_vocabulary(folder, _good):
    """As in models that got a padding token and no row for it."""
    size = json.loads((folder / "config.json").read_text(encoding="utf-8"))["vocab_size"]
    edit_json(folder, "generation_config.json", pad_token_id=size)
