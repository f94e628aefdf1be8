"""Shared by the readers of folders: safe parsing of untrusted files, and common names of settings."""

import json
from collections.abc import Callable, Iterable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from ledger.errors import LedgerError
from ledger.findings import Json

SQLITE = b"SQLite format 3\0"
MOST_BYTES = 64 * 1024 * 1024  # of a text file; no configuration is larger
MOST_YAML = 4 << 20  # bytes: the parser, which is written in Python, reads 0.1 MB a second
MOST_VALUES = 100_000
_MODEL_KEYS = ("model_name_or_path", "_name_or_path", "model_name", "model.name", "model")


class Problems(list[str]):
    """Messages about what could not be read; `files` lists the files that were read."""

    def __init__(self, messages: Iterable[str] = ()) -> None:
        super().__init__(messages)
        self.files: list[Path] = []

    def read(self, path: Path, parse: Callable[[bytes], Any], most: int = MOST_BYTES) -> Any:
        """The parsed file; None if it does not exist or, with a message, cannot be read."""
        try:
            if not path.is_file():
                return None
            if path.stat().st_size > most:
                raise ValueError(f"it is larger than {most // 2**20:,} MiB")
            content = parse(path.read_bytes())
            self.files.append(path)
            return content
        except OSError as error:
            self.append(f"{path.name}: {error.strerror or error}")
        except (ValueError, RecursionError) as error:
            self.append(f"{path.name}: {_first_line(error)}")
        return None

    def mapping(self, path: Path, parse: Callable[[bytes], Any]) -> dict[str, Json]:
        """The mapping in a file; empty if there is no file or, with a message, if it holds something else."""
        content = self.read(path, parse)
        if content is not None and not isinstance(content, dict):
            self.append(f"{path.name}: it is not a mapping")
        return {str(key): value for key, value in content.items()} if isinstance(content, dict) else {}


def is_sqlite(path: Path) -> bool:
    """Whether this is a file that begins like a SQLite database."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(SQLITE)) == SQLITE


def parse_json(data: bytes) -> Json:
    """Parse JSON, with NaN as Python writes it. Raises ValueError."""
    return json.loads(data)


def parse_yaml(data: bytes) -> Any:
    """Parse YAML, ignoring tags: only plain values are constructed. Raises ValueError."""
    if len(data) > MOST_YAML:
        raise ValueError(f"it is larger than {MOST_YAML // 2**20:,} MiB")
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import SafeConstructor
    from ruamel.yaml.error import YAMLError

    class Plain(SafeConstructor):
        """Reads a value with an unknown tag as the plain value."""

    def plain(loader: Any, _tag: str, node: Any) -> Any:
        make = {"scalar": loader.construct_scalar, "sequence": loader.construct_sequence}
        return make.get(node.id, loader.construct_mapping)(
            node, **({} if node.id == "scalar" else {"deep": True})
        )

    Plain.add_multi_constructor("", plain)
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = Plain
    try:
        content = yaml.load(StringIO(data.decode("utf-8")))
    except (YAMLError, TypeError) as error:
        raise ValueError(f"it is not YAML ({_first_line(error)})") from error
    if _expanded(content, {}) > MOST_VALUES:
        raise ValueError(f"its anchors expand to more than {MOST_VALUES:,} values")
    return content


def _expanded(value: Any, sizes: dict[int, int]) -> int:
    """How many values there are once every alias is a copy. Raises ValueError for one that holds itself."""
    if not isinstance(value, dict | list):
        return 1
    if id(value) not in sizes:
        sizes[id(value)] = 0
        below = value.values() if isinstance(value, dict) else value
        sizes[id(value)] = 1 + sum(_expanded(one, sizes) for one in below)
    elif not sizes[id(value)]:
        raise ValueError("an anchor in it holds itself")
    return sizes[id(value)]


def pinned(data: bytes) -> dict[str, Json]:
    """The `name==version` lines of a requirements file."""
    lines = (line.partition("==") for line in data.decode("utf-8", "replace").splitlines())
    return {name.strip().lower(): version.strip() for name, equals, version in lines if equals}


def model_in(settings: Mapping[str, Json]) -> str | None:
    """The model name in settings, under one of the usual keys."""
    named = (settings.get(key) for key in _MODEL_KEYS)
    return next((name for name in named if isinstance(name, str) and name), None)


def foreign(path: Path, what: str) -> LedgerError:
    """The error for a source that is not of the expected kind."""
    return LedgerError(
        f"{path} is not {what}", hint="give its kind with --as, or name the folder that the tool wrote"
    )


def _first_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
