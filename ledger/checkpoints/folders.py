"""A checkpoint's folder: the names in it, the checkpoints of a training, the files, and their digest."""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from ledger.utils.regular_file import read_regular

# Everything that the ledger stores in a checkpoint is in one folder of it, and travels with it.
FOLDER = "ledger"
EVIDENCE = "evidence.json"
VERIFIED = "verified.json"

# Files that only resuming a training needs, most of the bytes: the digest covers just their names and sizes.
RESUME_ONLY = re.compile(r"(optimizer|scheduler|scaler|rng_state).*\.(pt|pth|bin)")
CHECKPOINT = re.compile(r"checkpoint-(\d{1,15})")
PIECE = 4 << 20  # bytes
MOST_BYTES = 1 << 28  # of a small file in a checkpoint: evidence or settings


def evidence_path(checkpoint: Path) -> Path:
    """Where the evidence of the save lies."""
    return checkpoint / FOLDER / EVIDENCE


def verified_path(checkpoint: Path) -> Path:
    """The mark of a verified checkpoint, which is written last of all."""
    return checkpoint / FOLDER / VERIFIED


def has_own_folder(checkpoint: Path) -> bool:
    """Whether the ledger's folder in a checkpoint is its own, and not a link to another place."""
    return not (checkpoint / FOLDER).is_symlink()


def read_small(path: Path) -> bytes:
    """A small file in a checkpoint. Raises OSError for a pipe, a device, or an absurd size."""
    return read_regular(path, MOST_BYTES)


def list_checkpoints(folder: Path) -> list[Path]:
    """The folders `checkpoint-<step>` in `folder`, by step, the last one last."""
    found = [
        (int(match[1]), path)
        for path in folder.glob("checkpoint-*")
        if (match := CHECKPOINT.fullmatch(path.name)) and path.is_dir()
    ]
    return [path for _, path in sorted(found)]


def files_of(checkpoint: Path) -> Iterator[Path]:
    """Every file of a checkpoint, the ledger's own left out, and checkpoints that lie inside it."""
    for path in checkpoint.glob("*"):
        if path.is_file():
            yield path
        elif path.name != FOLDER and not CHECKPOINT.fullmatch(path.name):
            yield from (below for below in path.rglob("*") if below.is_file())


def digest_files(checkpoint: Path) -> str:
    """One digest over the names, sizes and contents of a checkpoint's files, the ledger's own left out.

    The optimizer's state and its like count by name and size, unless an index names them as weights. Of the
    others a file's digest is over those of
    its pieces of 4 MiB, which threads share: one large file keeps all cores busy. Raises OSError when one
    cannot be read.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        loaded = _named_as_weights(checkpoint)
        rows = "".join(_row(path, checkpoint, pool, loaded) for path in sorted(files_of(checkpoint)))
    return f"sha256:{hashlib.sha256(rows.encode('utf-8', 'surrogateescape')).hexdigest()}"


def _named_as_weights(checkpoint: Path) -> frozenset[str]:
    names: set[str] = set()
    for index in checkpoint.glob("*.index.json"):
        with suppress(OSError, ValueError, RecursionError, AttributeError, KeyError, TypeError):
            names |= {Path(name).name for name in json.loads(read_small(index))["weight_map"].values()}
    return frozenset(names)


def _row(path: Path, checkpoint: Path, pool: ThreadPoolExecutor, loaded: frozenset[str]) -> str:
    size = path.stat().st_size
    only_resumes = RESUME_ONLY.fullmatch(path.name) and path.name not in loaded
    content = "" if only_resumes else _digest_pieces(path, pool)
    return f"{path.relative_to(checkpoint)}\t{size}\t{content}\n"


def _digest_pieces(path: Path, pool: ThreadPoolExecutor) -> str:
    with path.open("rb", buffering=0) as file:
        number, size = file.fileno(), os.fstat(file.fileno()).st_size
        pieces = pool.map(
            lambda at: hashlib.sha256(os.pread(number, PIECE, at)).digest(), range(0, size, PIECE)
        )
        return hashlib.sha256(b"".join(pieces)).hexdigest()
