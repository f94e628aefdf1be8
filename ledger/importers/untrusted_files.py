"""What the readers of folders share: files read without trust, and what every tool names alike."""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from ledger.errors import LedgerError
from ledger.findings import Json

MOST_BYTES = 64 * 1024 * 1024  # of a text file; what is larger is no configuration
_MODEL_KEYS = ("model_name_or_path", "_name_or_path", "model_name", "model.name", "model")


class Problems(list[str]):
    """What could not be read, one sentence each; `files` are those that were."""

    def __init__(self, told: Iterable[str] = ()) -> None:
        super().__init__(told)
        self.files: list[Path] = []

    def read(self, path: Path, parse: Callable[[bytes], Any], most: int = MOST_BYTES) -> Any:
        """What `parse` makes of the file; None where it is not there, or cannot be read, which is noted."""
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
        """The mapping that a file holds; empty where there is none, or something else, which is noted."""
        content = self.read(path, parse)
        if content is not None and not isinstance(content, dict):
            self.append(f"{path.name}: it holds no mapping")
        return {str(key): value for key, value in content.items()} if isinstance(content, dict) else {}


def parse_json(data: bytes) -> Json:
    """JSON with NaN, as Python's writers make it. Raises ValueError."""
    return json.loads(data)


def parse_yaml(data: bytes) -> Any:
    """YAML without tags' meaning: nothing is constructed but plain values. Raises ValueError."""
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import SafeConstructor
    from ruamel.yaml.error import YAMLError

    class Plain(SafeConstructor):
        """Takes a value with an unknown tag for the plain value under it."""

    def plain(loader: Any, _tag: str, node: Any) -> Any:
        make = {"scalar": loader.construct_scalar, "sequence": loader.construct_sequence}
        return make.get(node.id, loader.construct_mapping)(
            node, **({} if node.id == "scalar" else {"deep": True})
        )

    Plain.add_multi_constructor("", plain)
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = Plain
    try:
        return yaml.load(StringIO(data.decode("utf-8")))
    except (YAMLError, TypeError) as error:
        raise ValueError(f"it is no YAML ({_first_line(error)})") from error


def pinned(data: bytes) -> dict[str, Json]:
    """The `name==version` lines of a requirements file."""
    lines = (line.partition("==") for line in data.decode("utf-8", "replace").splitlines())
    return {name.strip().lower(): version.strip() for name, equals, version in lines if equals}


def model_in(settings: Mapping[str, Json]) -> str | None:
    """The model that settings name under one of the usual keys."""
    named = (settings.get(key) for key in _MODEL_KEYS)
    return next((name for name in named if isinstance(name, str) and name), None)


def finite(value: Json) -> float | None:
    """A number as a float; None for anything else, NaN and infinities among it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def foreign(path: Path, what: str) -> LedgerError:
    """The error for a source that is not what it was taken for."""
    return LedgerError(
        f"{path} is no {what}", hint="name its kind with --as, or the folder that the tool itself wrote"
    )


def _first_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
