"""How one spec builds on another: maps merge, everything else replaces, null unsets. Pure."""

from collections.abc import Mapping, Sequence
from itertools import accumulate

from ledger.findings import Json
from ledger.specs.errors import KeyPath, SpecLocation
from ledger.specs.yaml_source import YamlSource


def merge(base: Mapping[str, Json], over: Mapping[str, Json]) -> dict[str, Json]:
    """`base` overridden by `over`.

    >>> merge({"generation": {"num_beams": 3, "seed": 1}}, {"generation": {"num_beams": 5}})
    {'generation': {'num_beams': 5, 'seed': 1}}
    """
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = merge(below, value)
        else:
            merged[key] = value
    return merged


def merge_sources(sources: Sequence[YamlSource]) -> YamlSource:
    """All the sources as one, later ones overriding earlier ones; a key's place is where it was set last."""
    places: dict[KeyPath, SpecLocation] = {}
    values: dict[str, Json] = {}
    for source in sources:
        values = merge(values, source.values)
        places.update(source.places)
    return YamlSource(values, places)


def place_of(path: KeyPath, places: Mapping[KeyPath, SpecLocation], top: SpecLocation) -> SpecLocation:
    """Where `path` was set: itself, else a key under it (`--set` names only the leaf), else its section."""
    if path in places:
        return places[path]
    under = [place for key, place in places.items() if key[: len(path)] == path]
    above = [places[key] for key in accumulate((part,) for part in path) if key in places]
    return (under or above[-1:] or [top])[0]
