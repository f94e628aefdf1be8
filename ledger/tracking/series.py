"""What a run stores for MLflow alone: its metric series and its sample lines, in the run's folder.

Everything else that MLflow shows is in the journal. Used inside a run, so no heavy import.
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path

from ledger.evidence.text import LineSample
from ledger.utils.atomic_file import append_atomically, write_atomically
from ledger.utils.redaction import scrub_json

SERIES = "series.jsonl"
SAMPLES = "samples.json"
BYTES_PER_LINE = 80  # a usual point; the number of lines of a large file is estimated by it
SAMPLE_COLUMNS = ("line", "source", "output")


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """One point of a series. `time` is in milliseconds since 1970, as all times in this package."""

    name: str
    value: float
    time: int
    step: int = 0


@dataclass(frozen=True, slots=True)
class SeriesLine:
    """One line of a series file; `end` is the offset after it, `point` None where it is damaged or torn."""

    number: int
    end: int
    point: MetricPoint | None
    torn: bool = False


def append_points(folder: Path, points: Iterable[MetricPoint]) -> None:
    """Append points to the series in a run's folder: all or none. Raises OSError, such as for a full disk."""
    path = folder / SERIES
    folder.mkdir(parents=True, exist_ok=True)
    # A killed run leaves a torn line: end it, so that it costs only itself.
    append_atomically(path, (b"\n" if _is_torn(path) else b"") + encode(points))


def encode(points: Iterable[MetricPoint]) -> bytes:
    """Points as lines of JSON, with NaN and Infinity as Python's json writes and reads them."""
    lines = (json.dumps(scrub_json(asdict(point)), ensure_ascii=False) + "\n" for point in points)
    return "".join(lines).encode("utf-8", "replace")


def read_lines(folder: Path, offset: int = 0) -> Iterator[SeriesLine]:
    """The lines that end after byte `offset`, in order; the last one may be torn."""
    if not (folder / SERIES).is_file():
        return
    end = 0
    with (folder / SERIES).open("rb") as file:
        for number, data in enumerate(file, 1):
            end += len(data)
            if end > offset:
                yield SeriesLine(number, end, _decode(data), torn=not data.endswith(b"\n"))


def read_points(folder: Path, most: int) -> Iterator[MetricPoint]:
    """The points in a run's folder, in order; of a file of many more than `most` lines only every nth.

    n is odd, so that series which take turns are all represented.
    """
    path = folder / SERIES
    if not path.is_file():
        return
    every = path.stat().st_size // (most * BYTES_PER_LINE) | 1
    with path.open("rb") as file:
        for data in islice(file, 0, None, every):
            if point := _decode(data):
                yield point


def write_samples(folder: Path, samples: Sequence[LineSample]) -> None:
    """Replace the sample lines in a run's folder, as a table that MLflow reads; no file where there are none.

    Raises OSError.
    """
    path = folder / SAMPLES
    if not samples:
        path.unlink(missing_ok=True)
        return
    rows = [(sample.number, sample.source, sample.output) for sample in samples]
    table = scrub_json({"columns": SAMPLE_COLUMNS, "data": rows})
    write_atomically(path, json.dumps(table, ensure_ascii=False).encode("utf-8", "replace"))


def _is_torn(path: Path) -> bool:
    if not path.exists() or not path.stat().st_size:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() != b"\n"


def _decode(data: bytes) -> MetricPoint | None:
    try:
        point = MetricPoint(**json.loads(data))
        return replace(point, value=float(point.value), time=int(point.time), step=int(point.step))
    except (ValueError, TypeError):
        return None
