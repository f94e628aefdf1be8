"""The problems of a spec, each with its place, its key and the nearest valid name."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from ledger.errors import UsageError

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

MAX_ROWS = 20
KeyPath = tuple[str | int, ...]

# pydantic's error types in plain words; the others keep pydantic's own sentence.
_WORDS = {
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "model_type": "keys with values",
    "mapping_type": "keys with values",
    "dict_type": "keys with values",
    "finite_number": "a finite number",
}


@dataclass(frozen=True, slots=True, order=True)
class SpecLocation:
    """Where a key was set: a file and line, or an argument (line 0)."""

    source: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}" if self.line else self.source


Locate = Callable[[KeyPath], SpecLocation]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One problem of a spec. `key` is dotted; empty where the problem is not about one key."""

    place: SpecLocation
    key: str
    says: str
    hint: str = ""

    def __str__(self) -> str:
        return ": ".join(filter(None, (str(self.place), self.key, self.says)))


def spec_error(problems: Iterable[Problem], subject: str) -> UsageError:
    """All the problems as one error, which names `subject` where there are several."""
    ordered = sorted(set(problems))
    if len(ordered) == 1:
        return UsageError(str(ordered[0]), hint=ordered[0].hint)
    rows = [f"{problem}; {problem.hint}" if problem.hint else str(problem) for problem in ordered[:MAX_ROWS]]
    if len(ordered) > MAX_ROWS:
        rows.append(f"and {len(ordered) - MAX_ROWS} more")
    return UsageError(f"{subject} has {len(ordered)} problems", hint="\n  ".join(rows))


def problem_at(place: SpecLocation, says: str, *, key: str = "", hint: str = "") -> UsageError:
    """One problem as an error."""
    return spec_error([Problem(place, key, says, hint)], place.source)


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate most like `word`, ignoring case; None where none is similar."""
    spelled = {candidate.casefold(): candidate for candidate in candidates}
    found = get_close_matches(word.casefold(), spelled, n=1, cutoff=0.5)
    return spelled[found[0]] if found else None


def did_you_mean(word: str, candidates: Collection[str]) -> str:
    """A hint with the nearest candidate, or with all of them where none is similar."""
    found = nearest(word, candidates)
    if found:
        return f"did you mean {found}?"
    return f"known: {', '.join(candidates)}" if candidates else ""


def validation_problems(
    error: "ValidationError", data: Mapping[str, Any], keys: Sequence[str], locate: Locate
) -> Iterator[Problem]:
    """pydantic's errors about the merged `data`, one per key; `keys` are all that a spec may have, dotted."""
    by_key: dict[KeyPath, list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        by_key.setdefault(_key_of(detail, data), []).append(detail)
    for path, details in by_key.items():
        says, hint = _explain(path, details, keys)
        yield Problem(locate(path), dotted(path), says, hint)


def dotted(path: KeyPath) -> str:
    """`("generation", "num_beams")` as `generation.num_beams`."""
    return ".".join(map(str, path))


def _key_of(detail: "ErrorDetails", data: Mapping[str, Any]) -> KeyPath:
    """The error's key, without what pydantic appends to distinguish union members and map keys."""
    path: KeyPath = detail["loc"]
    if detail["type"] == "missing":
        return path
    inside: Any = data
    for depth, key in enumerate(path):
        if not isinstance(inside, Mapping) or key not in inside:
            return path[:depth]
        inside = inside[key]
    return path


def _explain(path: KeyPath, details: Sequence["ErrorDetails"], keys: Sequence[str]) -> tuple[str, str]:
    first = details[0]
    if first["type"] == "missing":
        return "is missing", ""
    if first["type"] == "extra_forbidden":
        return "is not a key of a spec", _suggest_key(path, keys)
    if first["type"] == "value_error":
        return _own_rule(first), ""
    allowed = [word for detail in details for word in _literals(detail)]
    wanted = [_WORDS.get(detail["type"]) or _own_words(detail) for detail in details]
    near = nearest(str(first["input"]), allowed)
    hint = f"did you mean {near}?" if near else _quotes(first)
    return f"should be {' or '.join(wanted)}{_but_is(first)}", hint


def _own_rule(detail: "ErrorDetails") -> str:
    says = str(detail["ctx"]["error"])
    return f"{says}{_but_is(detail)}" if says.startswith("should ") else says


def _own_words(detail: "ErrorDetails") -> str:
    return re.sub(r"^Input should be ", "", detail["msg"])


def _literals(detail: "ErrorDetails") -> list[str]:
    return re.findall(r"'([^']*)'", detail["ctx"]["expected"]) if detail["type"] == "literal_error" else []


def _but_is(detail: "ErrorDetails") -> str:
    value = detail["input"]
    if isinstance(value, Mapping | list):
        return ", not a map of keys" if isinstance(value, Mapping) else ", not a list"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return f", not {text if len(text) <= 60 else text[:57] + '...'}"


def _quotes(detail: "ErrorDetails") -> str:
    """A hint about the usual cause of a wrong type: quotes too many or too few."""
    value = detail["input"]
    if detail["type"] == "string_type" and not isinstance(value, Mapping | list):
        return "put it in quotes"
    if detail["type"] in ("int_type", "float_type", "bool_type") and isinstance(value, str):
        return "leave the quotes out" if re.fullmatch(r"[-+]?\d+(\.\d+)?|true|false", value) else ""
    return ""


def _suggest_key(path: KeyPath, keys: Sequence[str]) -> str:
    """A hint: the same key in another section, else the nearest in this one, else the nearest anywhere."""
    section, last = dotted(path[:-1]), str(path[-1])
    elsewhere = [key for key in keys if _last(key) == last]
    if elsewhere:
        return f"did you mean {' or '.join(elsewhere)}?"
    siblings = {_last(key): key for key in keys if key.rpartition(".")[0] == section}
    for candidates in (siblings, {_last(key): key for key in reversed(keys)}):
        if found := nearest(last, candidates):
            return f"did you mean {candidates[found]}?"
    return f"known: {', '.join(siblings.values())}"


def _last(key: str) -> str:
    return key.rpartition(".")[2]
