"""From a name to a checked spec: find the file, follow `extends`, apply `--set`, validate."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import get_args

from pydantic import BaseModel, ValidationError

from ledger.errors import UsageError
from ledger.findings import Json
from ledger.specs.errors import (
    KeyPath,
    Locate,
    Problem,
    SpecLocation,
    did_you_mean,
    dotted,
    problem_at,
    spec_error,
    validation_problems,
)
from ledger.specs.experiment import TextExperiment
from ledger.specs.forecasting import ForecastingSpec
from ledger.specs.generation import GenerationSpec
from ledger.specs.inheritance import merge_sources, place_of
from ledger.specs.training import TrainingSpec
from ledger.specs.yaml_source import YamlSource, parse_value, read_source
from ledger.utils.paths import relative_if_inside

SUFFIX = ".yaml"
AnySpec = GenerationSpec | TrainingSpec | ForecastingSpec
TASKS: dict[str, type[AnySpec]] = {
    "generation": GenerationSpec,
    "training": TrainingSpec,
    "forecasting": ForecastingSpec,
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


def load_experiment(
    name_or_path: str,
    folder: Path,
    overrides: Sequence[str] = (),
    *,
    rate_codes: Collection[str] | None = None,
) -> AnySpec:
    """The spec called `name_or_path` in `folder`, or the one in the `.yaml` file at that path.

    `overrides` are `KEY=VALUE` with a dotted key and a YAML scalar. `rate_codes` are the guard codes that
    `guards.max_rate` may name; None checks only that each has the form of a code.

    Raises UsageError with the file, line, key and nearest valid name of everything that is wrong.
    """
    path = _find(name_or_path, folder)
    merged = merge_sources([*_chain(path, folder), *map(_override, overrides)])

    def locate(key: KeyPath) -> SpecLocation:
        return place_of(key, merged.places, SpecLocation(_shown(path)))

    kind = _kind(merged.values.get("task"), locate)
    try:
        spec = kind.model_validate(merged.values)
    except ValidationError as error:
        problems = validation_problems(error, merged.values, dotted_keys(kind), locate)
        raise spec_error(problems, _shown(path)) from error
    limited = spec.guards.max_rate if isinstance(spec, TextExperiment) else ()
    if rate_codes is not None and (unknown := set(limited) - set(rate_codes)):
        raise spec_error(_unknown_codes(unknown, rate_codes, locate), _shown(path))
    return spec.named(path.stem)


def names(folder: Path) -> list[str]:
    """The experiments in `folder`, exp2 before exp10. Specs in subfolders are only there to be extended."""
    found = [path.stem for path in folder.glob(f"*{SUFFIX}") if path.is_file() and _NAME.fullmatch(path.stem)]
    return sorted(found, key=lambda name: re.sub(r"\d+", lambda digits: digits[0].zfill(12), name))


@cache
def dotted_keys(kind: type[BaseModel] = GenerationSpec) -> tuple[str, ...]:
    """Every key that a spec of this kind may have, sections included, in the order of the class."""
    return tuple(_keys_of(kind, ""))


def _keys_of(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield prefix + name
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from _keys_of(kind, f"{prefix}{name}.")


def _kind(task: Json, locate: Locate) -> type[AnySpec]:
    """The class that checks a spec of this task; unset is a generation."""
    for name, kind in TASKS.items():
        if task in (name, None):
            return kind
    says = f"should be {' or '.join(map(repr, TASKS))}, not {task!r}"
    raise problem_at(locate(("task",)), says, key="task", hint=did_you_mean(str(task), TASKS))


def _find(name_or_path: str, folder: Path) -> Path:
    given = Path(name_or_path)
    by_path = given.suffix in (SUFFIX, ".yml")
    if not _NAME.fullmatch(given.stem if by_path else name_or_path):
        raise UsageError(
            f"{name_or_path!r} cannot name an experiment: letters, digits and . _ + - only",
            hint=did_you_mean(name_or_path, names(folder)),
        )
    tried = [given, folder / given] if by_path else [folder / (name_or_path + SUFFIX)]
    for path in tried:
        if path.exists():
            return path
    where = "" if by_path else f" in {_shown(folder)}"
    raise UsageError(
        f"there is no experiment {name_or_path}{where}", hint=did_you_mean(given.name, names(folder))
    )


def _chain(path: Path, folder: Path) -> list[YamlSource]:
    """The file and everything that it extends, the outermost base first."""
    sources: list[YamlSource] = []
    seen: list[Path] = []
    base: Path | None = path
    while base is not None:
        seen.append(base.resolve())
        sources.insert(0, read_source(base, _shown(base)))
        base = _base_of(sources[0], folder, seen)
    return sources


def _base_of(source: YamlSource, folder: Path, seen: Sequence[Path]) -> Path | None:
    name = source.values.get("extends")
    if name is None:
        return None
    place = source.places["extends",]
    if not isinstance(name, str) or not all(map(_NAME.fullmatch, name.split("/"))):
        says = f"should be the name of one spec, such as base/teacher, not {name!r}"
        raise problem_at(place, says, key="extends")
    base = folder / (name + SUFFIX)
    if not base.exists():
        others = (path for path in folder.rglob(f"*{SUFFIX}") if path.resolve() not in seen)
        hint = did_you_mean(
            name, sorted(other.relative_to(folder).with_suffix("").as_posix() for other in others)
        )
        raise problem_at(place, f"there is no {_shown(base)}", key="extends", hint=hint)
    if base.resolve() in seen:
        circle = " extends ".join(_shown(path) for path in (*seen, base))
        raise problem_at(
            place, f"is circular: {circle}", key="extends", hint="let one of them extend nothing"
        )
    return base


def _override(text: str) -> YamlSource:
    key, equals, value = text.partition("=")
    path = tuple(key.strip().split("."))
    if not equals or not all(re.fullmatch(r"\w+", part) for part in path):
        raise UsageError(f"--set {text!r} is not KEY=VALUE", hint="as in: --set generation.num_beams=5")
    place = SpecLocation(f"--set {text}")
    if path == ("extends",):
        raise problem_at(
            place, "cannot be set", key="extends", hint="write a spec that extends the other base"
        )
    values = parse_value(value, place, key)
    for part in reversed(path):
        values = {part: values}
    return YamlSource(values, {path: place})


def _unknown_codes(codes: Iterable[str], known: Collection[str], locate: Locate) -> Iterator[Problem]:
    for code in codes:
        key = ("guards", "max_rate", code)
        hint = f"known: {', '.join(sorted(known))}"
        yield Problem(locate(key), dotted(key), "is not the code of a guard that flags lines", hint)


def _shown(path: Path) -> str:
    """The path as messages show it: relative to the current folder where it lies below that."""
    return relative_if_inside(path.absolute(), Path.cwd())
