"""conda's lists of packages: environment.yml, `conda list` in its forms, @EXPLICIT, conda-lock and pixi.lock.

conda's own library is not on PyPI, so its match specs are read here, as far as they have an equivalent in
PEP 440. A package is known by its name on PyPI where that is another one.
"""

import platform
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from ledger.environments.requirements import Listed, RequirementList, add_line, note_unread, parse_requirement
from ledger.evidence.environment import Package

# conda's name of a package to PyPI's. The rest of conda-forge is called as on PyPI, or is not Python.
PYPI_NAMES = {"pytorch": "torch", "pytorch-cpu": "torch", "pytorch-gpu": "torch"}
PLATFORMS = {
    ("linux", "x86_64"): "linux-64",
    ("linux", "aarch64"): "linux-aarch64",
    ("darwin", "x86_64"): "osx-64",
    ("darwin", "arm64"): "osx-arm64",
    ("win32", "AMD64"): "win-64",
}
_ARCHIVE = re.compile(
    r"/(?P<name>[^/]+)-(?P<version>[^-/]+)-(?P<build>[^-/]+)\.(conda|tar\.bz2)(#(?P<hash>.*))?$"
)
_SPEC = re.compile(
    r"(?:\S+::)?(?P<name>[\w.-]+)\s*(?P<version>[^\s\[]*)(?:\s+(?P<build>[\w.*]+))?\s*(?P<more>\[.*\])?$"
)
_TORCH_BUILD = re.compile(r"(?:^|_)(?:cuda?(?P<major>\d+)(?:\.(?P<minor>\d+))?|(?P<cpu>cpu))")
_CHANNEL_OF_PIP = "pypi"


def of_environment(content: Mapping[str, Any], folder: Path) -> RequirementList:
    """The dependencies in an environment.yml, those of pip included."""
    found = RequirementList(whole="prefix" in content)  # which `conda env export` writes
    wanted = content.get("dependencies") or ()
    for one in wanted if isinstance(wanted, list) else ():
        if isinstance(one, dict):
            for line in one.get("pip") or ():
                add_line(found, str(line), folder, f"pip's {line}")
        elif str(one) != "pip":
            _add_spec(found, str(one), exported=found.whole)
    return found


def of_explicit(lines: Iterable[str]) -> RequirementList:
    """The addresses after @EXPLICIT, with a hash after `#`."""
    found = RequirementList(whole=True)
    for line in (line.strip() for line in lines):
        if archive := _ARCHIVE.search(line):
            _add(found, archive["name"], archive["version"], archive["build"], archive["hash"] or "")
        elif line and not line.startswith(("#", "@")):
            note_unread(found, f"{line} is not the address of a conda package")
    return found


def of_export(lines: Iterable[str]) -> RequirementList:
    """`conda list --export`: `name=version=build` on each line."""
    found = RequirementList(whole=True)
    for line in (line.strip() for line in lines):
        name, _, rest = line.partition("=")
        if line and not line.startswith("#"):
            _add(found, name, *rest.partition("=")[::2])
    return found


def of_rows(rows: Iterable[tuple[str, str, str, str]]) -> RequirementList:
    """`conda list`: name, version, build and channel of each package."""
    found = RequirementList(whole=True)
    for name, version, build, channel in rows:
        _add(found, name, version, "pypi_0" if channel == _CHANNEL_OF_PIP else build)
    return found


def of_conda_lock(content: Mapping[str, Any]) -> RequirementList:
    """The packages of a conda-lock.yml for this platform, or for its first one."""
    packages = [one for one in content.get("package") or () if isinstance(one, dict)]
    wanted = _platform([str(one.get("platform")) for one in packages])
    found = RequirementList(whole=True)
    for one in packages:
        if one.get("platform") == wanted:
            archive = _ARCHIVE.search(str(one.get("url")))
            build = "pypi_0" if one.get("manager") == "pip" else archive["build"] if archive else ""
            _add(found, str(one["name"]), str(one["version"]), build, _hash(one.get("hash") or {}))
    return found


def of_pixi(content: Mapping[str, Any]) -> RequirementList:
    """The packages of a pixi.lock's default environment, or its first one, for this platform."""
    environments = content.get("environments") or {}
    chosen: Mapping[str, Any] = environments.get("default") or next(iter(environments.values()), {})
    by_platform = chosen.get("packages") or {}
    used = by_platform.get(_platform(by_platform), ())
    addresses = {str(value) for one in used for key, value in one.items() if key in ("conda", "pypi")}
    found = RequirementList(whole=True)
    for one in content.get("packages") or ():
        address = str(one.get("conda") or one.get("pypi") or one.get("url"))
        if address not in addresses:
            continue
        archive = _ARCHIVE.search(address)
        if "pypi" in one or one.get("kind") == "pypi":
            if one.get("version"):
                _add(found, str(one["name"]), str(one["version"]), "pypi_0", _hash(one))
            else:  # a folder or a file
                add_line(found, f"-e {address}" if one.get("editable") else address, Path(), address)
        elif archive:
            _add(found, archive["name"], archive["version"], archive["build"], _hash(one))
    return found


def torch_build(build: str) -> str | None:
    """`cu121` of py3.10_cuda12.1_cudnn8.9.2_0, `cpu` of a build for the CPU; None where it names neither."""
    found = _TORCH_BUILD.search(build)
    return None if found is None else found["cpu"] or f"cu{found['major']}{found['minor'] or ''}"


def _add_spec(found: RequirementList, spec: str, *, exported: bool) -> None:
    """One match spec. `=1.2.3` also allows 1.2.3.1; exports write it for exactly 1.2.3."""
    parts = _SPEC.fullmatch(spec.strip())
    if parts is None or parts["more"]:
        note_unread(found, f"{spec} is not a name with a version")
        return
    wanted, build = parts["version"], parts["build"] or ""
    if equals := re.fullmatch(r"(==?)?(?P<version>\d[^=*,|<>!]*)(=(?P<build>[^=]+))?", wanted):
        version, build = equals["version"], equals["build"] or build
        if build or exported or equals[1] == "==" or version.count(".") > 1 or parts["name"] == "python":
            _add(found, parts["name"], version, build.replace("*", ""))
            return
        wanted = f"=={version}.*"
    elif re.fullmatch(r"=?\d[\d.]*\*", wanted):
        wanted = "==" + wanted.lstrip("=")
    name = PYPI_NAMES.get(parts["name"], parts["name"])
    try:
        listed = parse_requirement(f"{name}{wanted}")
    except ValueError:
        listed = Listed(canonicalize_name(name), Package(None, wanted))
    found.listed.append(listed)


def _add(found: RequirementList, name: str, version: str, build: str, digest: str = "") -> None:
    """One package at one version; pip's have the build pypi_0. Virtual packages (`__glibc`) are skipped."""
    if name.startswith("_"):
        return
    if name == "python":
        found.python = version
        return
    build = "" if build.startswith(_CHANNEL_OF_PIP) else build
    hashes = frozenset({digest} if digest else ())
    name = canonicalize_name(PYPI_NAMES.get(name, name))
    found.listed.append(Listed(name, Package(version, hashes=hashes, build=build)))


def _hash(one: Mapping[str, Any]) -> str:
    return next((f"{kind}:{one[kind]}" for kind in ("sha256", "md5") if one.get(kind)), "")


def _platform(names: Iterable[str]) -> str:
    here = PLATFORMS.get((sys.platform, platform.machine()), "")
    return here if here in {*names} else next(iter(names), "")
