"""The lockfiles of uv, Poetry, PDM and Pipenv as lists of packages, each with its version, hashes and marker.

These tools have no library that reads their files without a project and an index, so `tomllib` and `json` do.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name

from ledger.environments.requirements import Listed
from ledger.evidence.environment import Package
from ledger.findings import Json
from ledger.utils.redaction import scrub_url

Table = Mapping[str, Any]
Node = tuple[str, str, str]  # name, version, extra
# The conditions of one way to a package, all of which must hold; a package has one for each way.
Way = frozenset[str]
HASHES = ("sha256:", "sha384:", "sha512:")


def of_uv(lock: Table) -> list[Listed]:
    """The packages of a uv.lock. A marker is derived from the requirements that lead to the package."""
    ways = _ways(lock)
    found = []
    for one in lock.get("package", ()):
        if "virtual" in one.get("source", {}):  # the project itself, which is not installed
            continue
        reached = [its for node, its in ways.items() if node[:2] == _key(one)]
        marker = "" if not ways else _any(" and ".join(sorted(way)) for its in reached for way in its)
        if ways and not reached:  # left over from another resolution
            marker = "'none' in extras"
        found.append(_listed(one, _hashes(_files_of_uv(one)), _source_of_uv(one.get("source", {})), marker))
    return found


def of_poetry(lock: Table) -> list[Listed]:
    """The packages of a poetry.lock, of all its groups."""
    extras: dict[str, list[str]] = {}
    for extra, lines in lock.get("extras", {}).items():
        for line in lines:
            extras.setdefault(canonicalize_name(line.split(" ")[0].split("[")[0]), []).append(extra)
    found = []
    for one in lock.get("package", ()):
        stated = one.get("markers", "")
        marker = _any(stated.values()) if isinstance(stated, dict) else str(stated)
        if one.get("optional") and "extra" not in marker:
            asked = _any(f"'{name}' in extras" for name in extras.get(canonicalize_name(one["name"]), ["?"]))
            marker = _all(filter(None, (marker, asked)))
        old = lock.get("metadata", {}).get("files", {}).get(one["name"], ())
        found.append(_listed(one, _hashes(one.get("files") or old), _source_of_poetry(one), marker))
    return found


def of_pdm(lock: Table) -> list[Listed]:
    """The packages of a pdm.lock, of all its groups; those of no default group have a marker."""
    found = []
    for one in lock.get("package", ()):
        groups = one.get("groups", ["default"])
        asked = "" if {"default", "dev"} & {*groups} else _any(f"'{g}' in dependency_groups" for g in groups)
        marker = _all(filter(None, (str(one.get("marker", "")), asked)))
        place = one.get("git") or one.get("url") or one.get("path")
        origin = _origin(place, one.get("revision") or one.get("ref"), editable=bool(one.get("editable")))
        found.append(_listed(one, _hashes(one.get("files", ())), origin, marker))
    return list({(one.name, one.marker, one.package.version): one for one in found}.values())


def of_pipenv(lock: Table) -> list[Listed]:
    """The packages of a Pipfile.lock; those of `develop` are installed with `--dev` only."""
    found: dict[str, Listed] = {}
    for section, extra in (("default", ""), ("develop", "'dev' in dependency_groups")):
        for name, one in lock.get(section, {}).items():
            place = one.get("git") or one.get("file") or one.get("path")
            origin = _origin(place, one.get("ref"), editable=bool(one.get("editable")))
            marker = _all(filter(None, (str(one.get("markers", "")), extra)))
            facts = {"name": name, "version": str(one.get("version", "")).lstrip("=")}
            hashes = frozenset(h for h in one.get("hashes", ()) if h.startswith(HASHES))
            found.setdefault(name, _listed(facts, hashes, origin, marker))
    return list(found.values())


def _listed(one: Table, hashes: frozenset[str], origin: Mapping[str, Json], marker: str) -> Listed:
    version = str(one.get("version") or "") or None
    name = canonicalize_name(str(one["name"]))
    return Listed(name, Package(version, origin=origin, hashes=frozenset() if origin else hashes), marker)


def _hashes(files: Iterable[Table]) -> frozenset[str]:
    return frozenset(file["hash"] for file in files if str(file.get("hash", "")).startswith(HASHES))


def _files_of_uv(one: Table) -> list[Table]:
    return [*one.get("wheels", ()), *([one["sdist"]] if "sdist" in one else ())]


def _origin(url: object, commit: object = None, *, editable: bool = False) -> dict[str, Json]:
    """A direct URL in the words of PEP 610; empty for a package from an index."""
    if not url:
        return {}
    facts: dict[str, Json] = {"url": scrub_url(str(url).removeprefix("git+"))}
    return facts | ({"commit": str(commit)} if commit else {}) | ({"editable": True} if editable else {})


def _source_of_uv(source: Table) -> dict[str, Json]:
    if git := source.get("git"):
        return _origin(str(git).partition("?")[0].partition("#")[0], urlsplit(str(git)).fragment)
    place = source.get("editable") or source.get("directory") or source.get("url") or source.get("path")
    return _origin(place, editable="editable" in source)


def _source_of_poetry(one: Table) -> dict[str, Json]:
    source = one.get("source", {})
    if source.get("type") in (None, "legacy"):  # an index
        return {}
    commit = source.get("resolved_reference") or source.get("reference")
    return _origin(source.get("url"), commit, editable=bool(one.get("develop")))


def _ways(lock: Table) -> dict[Node, set[Way]]:
    """The conditions on which the projects of a uv.lock need each package, without and with its extras."""
    known: dict[str, list[Table]] = {}
    for one in lock.get("package", ()):
        known.setdefault(one["name"], []).append(one)
    found: dict[Node, set[Way]] = {}
    pending = [(node, way) for edge, way in _asked_for(lock) for node in _targets(edge, known)]
    while pending:
        node, way = pending.pop()
        reached = found.setdefault(node, set())
        if any(other <= way for other in reached):
            continue
        found[node] = {other for other in reached if not way <= other} | {way}
        one = next(one for one in known[node[0]] if _key(one) == node[:2])
        edges = (
            one.get("optional-dependencies", {}).get(node[2], ()) if node[2] else one.get("dependencies", ())
        )
        pending += [(target, way | _condition(edge)) for edge in edges for target in _targets(edge, known)]
    return found


def _asked_for(lock: Table) -> Iterator[tuple[Table, Way]]:
    """What the projects ask for; uv installs the group `dev` by default, the others on demand."""
    manifest = lock.get("manifest", {})
    for edge in manifest.get("requirements", ()):
        yield edge, _condition(edge)
    for one in lock.get("package", ()):
        source = one.get("source", {})
        if (
            "virtual" not in source
            and source.get("editable") != "."
            and one["name"] not in manifest.get("members", ())
        ):
            continue
        yield {key: one[key] for key in ("name", "version") if key in one}, Way()
        for extra, edges in one.get("optional-dependencies", {}).items():
            for edge in edges:
                yield edge, _condition(edge) | {f"'{extra}' in extras"}
        for group, edges in one.get("dev-dependencies", {}).items():
            for edge in edges:
                asked = set() if group == "dev" else {f"'{group}' in dependency_groups"}
                yield edge, _condition(edge) | asked


def _targets(edge: Table, known: Mapping[str, list[Table]]) -> Iterator[Node]:
    """The packages that a requirement stands for: with a version where the lockfile has several."""
    for one in known.get(edge["name"], ()):
        if edge.get("version", one.get("version")) == one.get("version"):
            for extra in ("", *edge.get("extra", ())):
                yield (*_key(one), extra)


def _condition(edge: Table) -> Way:
    return Way({f"({edge['marker']})"} if "marker" in edge else ())


def _key(one: Table) -> tuple[str, str]:
    return one["name"], str(one.get("version", ""))


def _any(markers: Iterable[str]) -> str:
    """One of them is enough; an empty marker always applies."""
    distinct = sorted({*markers})
    return (
        ""
        if "" in distinct
        else " or ".join(f"({one})" for one in distinct)
        if distinct[1:]
        else "".join(distinct)
    )


def _all(markers: Iterable[str]) -> str:
    distinct = [*markers]
    return " and ".join(f"({one})" for one in distinct) if distinct[1:] else "".join(distinct)
