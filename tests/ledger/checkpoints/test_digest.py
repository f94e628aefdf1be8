"""The digest over a checkpoint's files: what changes it, and what does not."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from ledger.checkpoints.folders import PIECE, digest_files


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = tmp_path / "checkpoint-6"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(bytes([1]) * PIECE + bytes([2]) * PIECE + b"the rest")
    (folder / "optimizer.pt").write_bytes(b"momenta")
    return folder


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def swap_pieces(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[PIECE : 2 * PIECE] + content[:PIECE] + content[2 * PIECE :])


CHANGES = {
    "first byte": lambda folder: flip(folder / "model.safetensors", 0),
    "a byte of the second piece": lambda folder: flip(folder / "model.safetensors", PIECE + 7),
    "last byte": lambda folder: flip(folder / "model.safetensors", -1),
    "two pieces in each other's place": lambda folder: swap_pieces(folder / "model.safetensors"),
    "a byte less": lambda folder: os.truncate(folder / "model.safetensors", 2 * PIECE + 7),
    "another name": lambda folder: (folder / "config.json").rename(folder / "generation_config.json"),
    "one more file": lambda folder: (folder / "empty").touch(),
    "size of the optimizer's state": lambda folder: (folder / "optimizer.pt").write_bytes(b"more momenta"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_it_changes_with(change, checkpoint: Path):
    before = digest_files(checkpoint)
    change(checkpoint)
    assert digest_files(checkpoint) != before


def test_it_does_not_change_with_the_optimizers_content_or_what_the_ledger_keeps(checkpoint: Path):
    before = digest_files(checkpoint)
    flip(checkpoint / "optimizer.pt", 0)
    (checkpoint / "ledger").mkdir()
    (checkpoint / "ledger" / "evidence.json").write_text("{}")
    assert digest_files(checkpoint) == before


def test_whatever_an_index_names_as_weights_is_read(checkpoint: Path):
    index = {"weight_map": {"a": "optimizer.pt"}}
    (checkpoint / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    before = digest_files(checkpoint)
    flip(checkpoint / "optimizer.pt", 0)
    assert digest_files(checkpoint) != before


def test_it_is_over_rows_of_name_size_and_the_digest_of_the_pieces_digests(checkpoint: Path):
    def sha256(data: bytes) -> bytes:
        return hashlib.sha256(data).digest()

    weights = (checkpoint / "model.safetensors").read_bytes()
    pieces = b"".join(sha256(weights[at : at + PIECE]) for at in range(0, len(weights), PIECE))
    rows = [
        f"config.json\t2\t{sha256(sha256(b'{}')).hex()}",
        f"model.safetensors\t{len(weights)}\t{sha256(pieces).hex()}",
        "optimizer.pt\t7\t",
    ]
    assert digest_files(checkpoint) == "sha256:" + sha256("".join(f"{row}\n" for row in rows).encode()).hex()
