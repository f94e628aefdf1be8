"""One YAML file as plain values, with the line of each key.

A spec is data that people review: maps, lists and scalars of YAML 1.2 (`no` and `ko` are text). Anchors,
aliases and tags are refused, which also rules out documents that expand without limit.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ledger.errors import LedgerError
from ledger.findings import Json
from ledger.specs.errors import KeyPath, Problem, SpecLocation, problem_at, spec_error

# The longest spec in experiments/ has under 1 kB; the reader takes up to 25 s a MB.
MAX_BYTES = 32 * 1024
MAX_DEPTH = 8
_CORE = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class YamlSource:
    """The values of one file or one `--set`, and the place of every key."""

    values: dict[str, Json]
    places: Mapping[KeyPath, SpecLocation]


def read_source(path: Path, shown: str) -> YamlSource:
    """Read a spec file; messages call it `shown`.

    Raises UsageError for a folder, for a file that is too large, empty, not UTF-8, not YAML or not a map, for
    an anchor, alias or tag, and, all in one error, for repeated keys and invalid values.
    """
    return _parse_map(_read_text(path, shown), shown)


def parse_value(text: str, place: SpecLocation, key: str) -> Json:
    """The value of `--set KEY=text`: a YAML scalar; empty text is null. UsageError for others."""
    walk = _NodeReader(place.source)
    try:
        node = _compose(text, place)
        value = None if node is None else walk.value(node, ())
    except LedgerError as error:
        raise problem_at(place, "the value is not valid YAML", key=key, hint="put it in quotes") from error
    if isinstance(value, dict | list) or walk.problems:
        raise problem_at(place, "the value should be one word or number", key=key, hint="put it in quotes")
    return value


def _read_text(path: Path, shown: str) -> str:
    place = SpecLocation(shown)
    try:
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "is not a regular file"
            raise problem_at(place, what, hint="name a .yaml file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise problem_at(place, f"cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise problem_at(place, f"is larger than {MAX_BYTES} bytes", hint="a spec is a page of YAML")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise problem_at(SpecLocation(shown, line), "is not UTF-8", hint="save the file as UTF-8") from error


def _parse_map(text: str, shown: str) -> YamlSource:
    node = _compose(text, SpecLocation(shown))
    if node is None or (isinstance(node, ScalarNode) and not node.value):
        raise problem_at(
            SpecLocation(shown), "is empty", hint="a spec needs at least model, languages, data, output"
        )
    if not isinstance(node, MappingNode):
        raise problem_at(_place(shown, node), "should hold keys with values, as in `seed: 1`")
    walk = _NodeReader(shown)
    values = walk.value(node, ())
    if walk.problems:
        raise spec_error(walk.problems, shown)
    return YamlSource(values, walk.places)


def _compose(text: str, place: SpecLocation) -> Node | None:
    """The node graph. The events are checked first: what is refused must not even be built."""
    try:
        for problem in _refused(YAML(typ="safe", pure=True).parse(text), place):
            raise spec_error([problem], place.source)
        node: Node | None = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = SpecLocation(place.source, mark.line + 1 if mark else 0)
        says = f"is not valid YAML: {error.problem or error.context}"
        raise problem_at(at, says, hint="text with : # or a leading - * & ! needs quotes") from error
    except YAMLError as error:
        raise problem_at(place, f"is not valid YAML: {str(error).splitlines()[0]}") from error
    return node


def _refused(events: Any, place: SpecLocation) -> Iterator[Problem]:
    depth = 0
    for event in events:
        at = SpecLocation(place.source, event.start_mark.line + 1)
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            yield Problem(at, "", "anchors and aliases are not supported", "share settings with extends")
        if getattr(event, "tag", None):
            yield Problem(at, "", f"tags such as {event.tag} are not supported", "leave the tag out")
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > MAX_DEPTH:
            yield Problem(at, "", f"is nested more than {MAX_DEPTH} levels deep")


def _place(shown: str, node: Node) -> SpecLocation:
    return SpecLocation(shown, node.start_mark.line + 1)


class _NodeReader:
    """Turns nodes into values; collects the line of each key and every problem.

    ruamel's round-trip loader has lines too, but stops at the first repeated key without naming it, raises
    without a line on a number or date that it cannot read, and turns dates into objects.
    """

    def __init__(self, shown: str) -> None:
        self.shown = shown
        self.places: dict[KeyPath, SpecLocation] = {}
        self.problems: list[Problem] = []

    def value(self, node: Node, path: KeyPath) -> Json:
        """The plain value of `node`, whose key is `path`."""
        if isinstance(node, MappingNode):
            return dict(self._items(node, path))
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, path) if isinstance(node, ScalarNode) else None

    def _items(self, node: MappingNode, path: KeyPath) -> Iterator[tuple[str, Json]]:
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            key, line = key_node.value, key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode) or not key.isprintable() or not key:
                self._problem(key_node, path, "a key should be a word", "")
            elif key in lines:
                self._problem(key_node, (*path, key), f"is repeated, first on line {lines[key]}", "keep one")
            else:
                lines[key] = line
                self.places[(*path, key)] = SpecLocation(self.shown, line)
                yield key, self.value(value_node, (*path, key))

    def _scalar(self, node: ScalarNode, path: KeyPath) -> Json:
        # JSON has no dates: one reaches the type check as text, just as the user wrote it.
        kind = str(node.tag).removeprefix(_CORE)
        if kind not in ("int", "float", "bool", "null"):
            return self._text(node, path)
        try:
            return _CONSTRUCTOR.construct_object(node)
        except (YAMLError, ValueError, OverflowError):
            self._problem(
                node, path, f"{node.value[:40]!r} is not a valid {kind}", "put it in quotes if it is text"
            )
            return None

    def _text(self, node: ScalarNode, path: KeyPath) -> str:
        text: str = node.value
        if any("\ud800" <= character <= "\udfff" for character in text):
            self._problem(node, path, "half a surrogate pair is not text", "write the character itself")
        return text

    def _problem(self, node: Node, path: KeyPath, says: str, hint: str) -> None:
        key = ".".join(map(str, path))
        self.problems.append(Problem(_place(self.shown, node), key, says, hint))


_CONSTRUCTOR = YAML(typ="safe", pure=True).constructor
