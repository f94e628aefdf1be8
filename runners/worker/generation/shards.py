"""The shards of a generation: how lines are divided into them, and how they are stored for a resume.

Standard library only: the parent reads shards, too.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from runners.worker.files import write_atomically

Batches = Sequence[tuple[int, ...]]  # line numbers, from 0

MOST_SHARDS = 1000  # a kill loses a thousandth of the work, or one batch if that is more


@dataclass(frozen=True, slots=True)
class Shard:
    """The texts of some lines, and how they were made; `lines`, `failed` and `unfinished` count from 0.

    `unfinished` lines reached the limit of tokens before their end. `batch_sizes` holds the size of each
    batch as it really ran, in order; `halved` counts the batches that were split because memory ran out.
    """

    lines: tuple[int, ...]
    texts: tuple[str, ...]
    failed: tuple[int, ...]
    batch_sizes: tuple[int, ...]
    halved: int = 0
    unfinished: tuple[int, ...] = ()


def plan_batches(lengths: Mapping[int, int], batch_size: int) -> list[tuple[int, ...]]:
    """Line numbers in batches of similar length, the longest first, so that a lack of memory shows at once.

    `lengths` maps a line number to its number of tokens. The same lengths always give the same batches, so a
    resumed run equals an uninterrupted one: padding changes results.
    """
    order = sorted(lengths, key=lambda line: (-lengths[line], line))
    return [tuple(order[at : at + batch_size]) for at in range(0, len(order), batch_size)]


def plan_shards(batches: Batches) -> list[Batches]:
    """The batches in at most MOST_SHARDS runs of equal length."""
    size = max(1, -(-len(batches) // MOST_SHARDS))
    return [batches[at : at + size] for at in range(0, len(batches), size)]


def lines_in(shards: Sequence[Batches]) -> Iterator[tuple[int, ...]]:
    """The line numbers of each shard, in the order of its batches."""
    for batches in shards:
        yield tuple(line for batch in batches for line in batch)


def digest(value: Any) -> str:
    """The SHA-256 of a JSON value in canonical form, as `sha256:…`."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ShardFolder:
    """The shards of one job on disk, by number. A file that is damaged or of another job counts as absent."""

    path: Path
    job_digest: str

    def write(self, index: int, shard: Shard) -> None:
        """Store a shard; it is complete or absent, even after a power cut."""
        content = asdict(shard)
        body = {"job": self.job_digest, "content": content, "digest": digest(content)}
        write_atomically(self._file(index), json.dumps(body).encode())

    def read(self, index: int, lines: Sequence[int]) -> Shard | None:
        """The shard stored under this number, if it holds the texts of exactly these lines."""
        try:
            body = json.loads(self._file(index).read_bytes())
            content = body["content"]
            if body["job"] != self.job_digest or body["digest"] != digest(content):
                return None
            shard = Shard(*(_tuple(content[field.name]) for field in fields(Shard)))
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        return shard if shard.lines == tuple(lines) and len(shard.texts) == len(lines) else None

    def _file(self, index: int) -> Path:
        return self.path / f"{index:05d}.json"


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
