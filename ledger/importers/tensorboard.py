"""TensorBoard's event files: scalars, and the texts in which the Hugging Face Trainer keeps its arguments.

A file is a sequence of TFRecords (tensorflow/core/lib/io/record_writer.cc): length, its checksum, data, its
checksum. Only the checksum of the length is checked: a wrong length would make all that follows unreadable.
"""

import json
import re
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any

from ledger.errors import LedgerError
from ledger.evidence.imported_claims import Claimed, ClaimedRun, Point
from ledger.findings import Json
from ledger.importers.protobuf import Messages, message_class
from ledger.importers.untrusted_files import Problems, foreign, model_in
from ledger.utils.times import iso_utc

KIND = "tensorboard"
PATTERN = "*tfevents*"
DEEPEST = 4  # levels of folders below the source
MOST_BYTES = 2 * 2**30  # read at once
HEADER = struct.Struct("<QI")  # length, masked CRC-32C of the length
CHECKSUM_BYTES = 4
_MASK = 0xA282EAD8
_TEXT = re.compile(r"(?P<name>.+?)/text_summary$")
# Fields from tensorflow/core/util/event.proto, framework/summary.proto and framework/tensor.proto.
_MESSAGES: Messages = {
    "Tensor": {
        "dtype": (1, "int32", ""),
        "content": (4, "bytes", ""),
        "float_val": (5, "float", "*"),
        "double_val": (6, "double", "*"),
        "string_val": (8, "bytes", "*"),
    },
    "Value": {"tag": (1, "string", ""), "simple_value": (2, "float", ""), "tensor": (8, "Tensor", "")},
    "Summary": {"value": (1, "Value", "*")},
    "Event": {"wall_time": (1, "double", ""), "step": (2, "int64", ""), "summary": (5, "Summary", "")},
}
_UNPACK = {1: "<f", 2: "<d"}  # DT_FLOAT, DT_DOUBLE


def matches(path: Path) -> bool:
    """Whether this is an event file, or a folder with some up to four levels down."""
    return bool(_files(path))


def read(path: Path) -> Claimed:
    """One run for each folder with event files. Raises LedgerError if nothing can be read."""
    files = _files(path)
    if not files:
        raise foreign(path, "an event file of TensorBoard, or a folder with some")
    problems = Problems()
    folders = sorted({file.parent for file in files})
    top = path if path.is_dir() else path.parent
    last = [folder.absolute().name for folder in folders]
    named = {
        folder: name if last.count(name) == 1 else folder.relative_to(top).as_posix()
        for folder, name in zip(folders, last, strict=True)
    }
    runs = [
        run
        for folder in folders
        if (run := _read_run(named[folder], [one for one in files if one.parent == folder], problems))
    ]
    if not runs:
        why = problems[0] if problems else "its files have no scalars"
        raise LedgerError(f"nothing in {path} can be read: {why}", hint="is the copy complete?")
    return Claimed(KIND, tuple(runs), tuple(problems.files), tuple(problems))


def events(data: bytes) -> Iterator[Any]:
    """The events in the bytes of a file. Raises ValueError at the first byte that cannot be read."""
    from google.protobuf.message import DecodeError

    at = 0
    while at < len(data):
        if at + HEADER.size > len(data):
            raise ValueError(f"it ends in the middle of a record, at byte {at:,}")
        length, checksum = HEADER.unpack_from(data, at)
        if _masked_crc(data[at : at + 8]) != checksum:
            raise ValueError(f"it is not an event file, or damaged, at byte {at:,}")
        start, end = at + HEADER.size, at + HEADER.size + length
        if end > len(data):
            raise ValueError(f"it ends in the middle of a record, at byte {at:,}")
        event = _event_class()()
        try:
            event.ParseFromString(data[start:end])
        except DecodeError as error:
            raise ValueError(f"a record is damaged, at byte {at:,}") from error
        yield event
        at = end + CHECKSUM_BYTES


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path] if path.match(PATTERN) else []
    found = (file for level in range(DEEPEST + 1) for file in path.glob("*/" * level + PATTERN))
    return sorted(file for file in found if file.is_file())


def _read_run(name: str, files: list[Path], problems: Problems) -> ClaimedRun | None:
    series: dict[str, dict[int, float]] = {}
    params: dict[str, Json] = {}
    first: float | None = None
    for file in files:
        data = problems.read(file, bytes, MOST_BYTES) or b""
        try:
            for event in events(data):
                first = min(event.wall_time, first or event.wall_time)
                for value in event.summary.value:
                    _take(value, event.step, series, params)
        except ValueError as error:
            problems.append(f"{file.name}: {error}")
    if not series and not params:
        return None
    points = {tag: [Point(step, by[step]) for step in sorted(by)] for tag, by in series.items()}
    return ClaimedRun(
        experiment=name,
        key=name,
        model=model_in(params),
        params=params,
        metrics={tag: one[-1].value for tag, one in points.items()},
        series=points,
        facts={"time": _time(first)} if first else {},
        where=", ".join(file.name for file in files),
    )


def _take(value: Any, step: int, series: dict[str, dict[int, float]], params: dict[str, Json]) -> None:
    if (text := _TEXT.match(value.tag)) and value.tensor.string_val:
        params |= _settings(text["name"], value.tensor.string_val[0].decode("utf-8", "replace"))
    elif (number := _number(value)) is not None:
        series.setdefault(value.tag, {})[step] = number  # a resumed run repeats steps: the later one counts


def _settings(name: str, text: str) -> dict[str, Json]:
    """The arguments in a text that is JSON, as the Trainer writes it; other texts are left out."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(content, dict):
        return {}
    return content if name == "args" else {f"{name}.{key}": one for key, one in content.items()}


def _number(value: Any) -> float | None:
    """The scalar of a summary: a `simple_value`, or a tensor with one number, as newer writers have it."""
    tensor = value.tensor
    if not value.HasField("tensor"):
        return _shortest(value.simple_value) if value.HasField("simple_value") else None
    if len(tensor.float_val) == 1:
        return _shortest(tensor.float_val[0])
    if len(tensor.double_val) == 1:
        return float(tensor.double_val[0])
    form = _UNPACK.get(tensor.dtype)
    if form and len(tensor.content) == struct.calcsize(form):
        number = float(struct.unpack(form, tensor.content)[0])
        return _shortest(number) if form == "<f" else number
    return None


def _shortest(number: float) -> float:
    """A 32-bit number with as few digits as it needs: 21.3, not 21.299999237060547."""
    packed = struct.pack("<f", number)
    rounded = (float(f"{number:.{digits}g}") for digits in range(6, 10))
    return next((one for one in rounded if struct.pack("<f", one) == packed), number)


@cache
def _event_class() -> Any:
    return message_class("Event", _MESSAGES)


@cache
def _table() -> tuple[int, ...]:
    """The table of CRC-32C, the Castagnoli polynomial (RFC 3720, appendix B.4)."""
    found = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        found.append(crc)
    return tuple(found)


def _masked_crc(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _table()[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF


def _time(seconds: float) -> str | None:
    try:
        return iso_utc(datetime.fromtimestamp(seconds, UTC), "seconds") if isfinite(seconds) else None
    except (OverflowError, ValueError, OSError):
        return None
