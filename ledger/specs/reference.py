"""The keys of a spec for readers, generated from the classes so that they cannot drift.

`python -m ledger.specs.reference` prints the tables of docs/specs.md, one for each task.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from ledger.findings import Json
from ledger.specs.experiment import ExperimentSpec
from ledger.specs.generation import GenerationSpec
from ledger.specs.loader import TASKS

_WORDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}


def field_table(kind: type[ExperimentSpec] = GenerationSpec) -> str:
    """A Markdown table of every key of a task: its type, default and meaning."""
    schema = kind.model_json_schema()
    rows = ["| key | takes | default | meaning |", "|---|---|---|---|"]
    rows += [f"| {' | '.join(cells)} |" for cells in _rows(schema, schema["$defs"], "")]
    return "\n".join(rows)


def _rows(section: Mapping[str, Any], sections: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, ...]]:
    required = section.get("required", ())
    for key, field in section["properties"].items():
        below = _section(field, sections)
        if below:
            meaning = below["description"].replace("\n", " ")
            yield f"**`{prefix}{key}`**", "keys", _must(key in required), meaning
            yield from _rows(below, sections, f"{prefix}{key}.")
        else:
            default = "required" if key in required else _default(field.get("default"))
            yield f"`{prefix}{key}`", _takes(field), default, field["description"]


def _section(field: Mapping[str, Any], sections: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The section that a key holds, also where it is optional; None for a value."""
    references = [option.get("$ref", "") for option in (field, *field.get("anyOf", ()))]
    names = (reference.rpartition("/")[2] for reference in references)
    return next((sections[name] for name in names if name in sections), None)


def _must(required: bool) -> str:
    return "required" if required else ""


def _default(value: Json) -> str:
    if value is None:
        return "unset"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _takes(field: Mapping[str, Any]) -> str:
    options = field.get("anyOf", [field])
    return " or ".join(_words(option) for option in options if option.get("type") != "null")


def _words(option: Mapping[str, Any]) -> str:
    values = option.get("enum") or ([option["const"]] if "const" in option else [])
    if values:
        return ", ".join(f"`{value}`" for value in values)
    if option["type"] == "object":
        return f"{_words(option['additionalProperties'])} by name"
    low, high = option.get("minimum", option.get("exclusiveMinimum")), option.get("maximum")
    above = "above " if "exclusiveMinimum" in option else "from "
    limits = f" {above}{low:g}" if low is not None else ""
    return _WORDS[option["type"]] + limits + (f" to {high:g}" if high is not None and high <= 100 else "")


if __name__ == "__main__":
    print(*(field_table(kind) for kind in TASKS.values()), sep="\n\n")
