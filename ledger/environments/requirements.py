"""Lists of requirements as pip reads them: requirements and constraints files, and what `pip freeze` writes.

`packaging` reads each requirement, and the names of wheels and sdists. What is not understood is listed.
"""

import codecs
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)

from ledger.errors import LedgerError
from ledger.evidence.environment import Package
from ledger.findings import Json
from ledger.utils.redaction import scrub_url
from ledger.utils.regular_file import MOST_SETTINGS, read_regular
from ledger.utils.textfiles import not_utf8

MOST_UNREAD = 20
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_COMMENT = re.compile(r"(^|\s)#.*$")
_OPTION = re.compile(r"(?P<name>--[a-z][a-z-]*|-[a-zA-Z])(?:[= ]?\s*(?P<value>.*))?$")
# Options of a single requirement, after it.
_TAIL = re.compile(r"\s(--[a-z]|-C\b).*$")
_HASH = re.compile(r"\s--hash[= ](\S+)")
_LOCATION = re.compile(r"[/\\]|^\.{1,2}(\[|$)|^[a-z+]+:|\.(whl|zip|tar\.\w+|tgz)$", re.IGNORECASE)
_MARKED = re.compile(r"\s;\s*")
_EXTRAS = re.compile(r"\[(?P<extras>[^\[\]]*)\]$")
_FRAGMENT = re.compile(r"[#&](?P<key>egg|subdirectory|sha256|sha384|sha512|sha1|md5)=(?P<value>[^&]+)")
_REVISION = re.compile(r"(?P<url>[^@]*(?://[^/]*)?[^@]*/[^@]+)@(?P<revision>[^@]+)$")
# pip freeze writes this before an editable install of which it knows no repository.
_NOTE = re.compile(r"#.*\binstall\b.*\((?P<name>[\w.-]+)==(?P<version>[^()\s]+)\)\s*$")
_INCLUDES = {"-r": "-r", "--requirement": "-r", "-c": "-c", "--constraint": "-c"}
_EDITABLE = ("-e", "--editable")
# Where files come from, and which of them are taken.
_OPTIONS = {
    "-i": "--index-url", "--index-url": "--index-url", "--pypi-url": "--index-url",
    "--extra-index-url": "--extra-index-url", "-f": "--find-links", "--find-links": "--find-links",
    **{one: one for one in ("--no-index", "--no-binary", "--only-binary", "--pre", "--prefer-binary")},
}  # fmt: skip
_WITHOUT_EFFECT = ("--trusted-host", "--require-hashes", "--use-feature", "--no-deps")


@dataclass(frozen=True, slots=True)
class Listed:
    """One package of a list. `marker` is its condition (PEP 508), empty where it always applies."""

    name: str
    package: Package
    marker: str = ""


@dataclass(slots=True)
class RequirementList:
    """What a list and the files that it includes ask for.

    `constraints` restrict what is installed without asking for it. `options` say where files come from;
    `unread` are sentences on the lines that are not understood. `python` is its version if
    known, `requires_python` the range of versions that it is for. `whole`: it names all that is installed.
    """

    listed: list[Listed] = field(default_factory=list)
    constraints: list[Listed] = field(default_factory=list)
    options: set[str] = field(default_factory=set)
    unread: list[str] = field(default_factory=list)
    files: set[Path] = field(default_factory=set)
    python: str | None = None
    requires_python: str = ""
    whole: bool = False


def read_requirements(path: Path) -> RequirementList:
    """The content of a list and of all that it includes. Raises LedgerError where the file cannot be read."""
    found = RequirementList()
    _read_into(found, path, "", constraints=False)
    return found


def add_line(found: RequirementList, line: str, folder: Path, where: str) -> None:
    """Add one line of a list that is part of another file in `folder`; `where` names it in messages."""
    _read_line(found, folder / "pip", line, where)


def decode(data: bytes) -> str:
    """The text of a list, as pip decodes it: by its byte order mark, which PowerShell writes, else UTF-8.

    UTF-16 without a mark is recognized by its NULs. Raises UnicodeDecodeError.
    """
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return data[len(bom) :].decode(encoding)
    head = data[:200]
    for encoding, nuls in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
        if len(head) > 1 and not nuls.strip(b"\0"):
            return data.decode(encoding)
    return data.decode("utf-8")


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines joined at trailing backslashes, without comments and blank lines, each with its line number."""
    start, parts = 1, ""
    for number, line in enumerate(text.splitlines(), 1):
        start = start if parts else number
        parts += _COMMENT.sub("", line)
        if parts.endswith("\\"):
            parts = parts[:-1] + " "
            continue
        if parts.strip():
            yield start, parts.strip()
        parts = ""
    if parts.strip():
        yield start, parts.strip()


def parse_requirement(text: str, folder: Path = Path()) -> Listed:
    """One requirement: PEP 508, or the path or URL of a file, a folder or a repository, as pip takes them.

    Raises InvalidRequirement.
    """
    hashes = frozenset(_HASH.findall(f" {text}"))
    bare = _TAIL.sub("", text).strip()
    try:
        requirement = Requirement(bare)
    except InvalidRequirement:
        if not _LOCATION.search(bare):
            raise
        return _from_location(bare, folder)
    name, extras = canonicalize_name(requirement.name), tuple(sorted(requirement.extras))
    marker = str(requirement.marker or "")
    if requirement.url:
        origin = _origin(requirement.url)
        version = _of_file(str(origin["url"]), name)[1]
        return Listed(name, Package(version, origin=origin, extras=extras, hashes=hashes), marker)
    pins = [one.version for one in requirement.specifier if one.operator in ("==", "===")]
    exact = len(requirement.specifier) == 1 and pins and not pins[0].endswith(".*")
    package = Package(pins[0]) if exact else Package(None, str(requirement.specifier))
    return Listed(name, replace(package, extras=extras, hashes=hashes), marker)


def _read_into(found: RequirementList, path: Path, of: str, *, constraints: bool) -> None:
    """Read one file; `of` names it in messages where another one includes it."""
    text = read_text(path)
    if path.resolve() in found.files:
        return  # pip reads a file that includes itself once
    found.files.add(path.resolve())
    noted = {
        number + 1: note
        for number, line in enumerate(text.splitlines(), 1)
        if (note := _NOTE.match(line.strip()))
    }
    for number, line in logical_lines(text):
        _read_line(found, path, line, f"line {number}{of}", noted.get(number), constraints=constraints)


def _read_line(
    found: RequirementList,
    path: Path,
    line: str,
    where: str,
    note: re.Match[str] | None = None,
    *,
    constraints: bool = False,
) -> None:
    try:
        if line.startswith("-"):
            _read_option(found, path, line, note, constraints=constraints)
        else:
            (found.constraints if constraints else found.listed).append(parse_requirement(line, path.parent))
    except InvalidRequirement as error:
        note_unread(found, f"{where} is not a requirement: {str(error).splitlines()[0]}")
    except LedgerError as error:
        note_unread(found, f"{where}: {error.message}")


def _read_option(
    found: RequirementList, path: Path, line: str, note: re.Match[str] | None, *, constraints: bool
) -> None:
    option = _OPTION.fullmatch(line)
    name, value = (option["name"], (option["value"] or "").strip("\"' ")) if option else (line, "")
    if name in _EDITABLE and value:
        listed = _editable(value, path.parent)
        if note and listed.package.version is None:
            listed = replace(
                listed,
                name=canonicalize_name(note["name"]),
                package=replace(listed.package, version=note["version"]),
            )
        found.listed.append(listed)
    elif name in _INCLUDES and value:
        if "://" in value:
            raise LedgerError(f"{scrub_url(value)} is not fetched")
        included = path.parent / value
        _read_into(
            found, included, f" of {included.name}", constraints=constraints or _INCLUDES[name] == "-c"
        )
    elif name in _OPTIONS:
        found.options.add(f"{_OPTIONS[name]} {scrub_url(value)}".strip())
    elif name not in _WITHOUT_EFFECT:
        raise LedgerError(f"{name} is not an option of a requirements file")


def _editable(value: str, folder: Path) -> Listed:
    try:
        listed = parse_requirement(value, folder)
    except InvalidRequirement:
        listed = _from_location(value, folder)
    if not listed.package.origin:  # the name of a folder, which is no requirement here
        listed = _from_location(value, folder)
    return replace(
        listed, package=replace(listed.package, origin={**listed.package.origin, "editable": True})
    )


def _from_location(text: str, folder: Path) -> Listed:
    """A path or URL: its name is that of the file, of the `egg`, of the project there, or of the folder."""
    place, *markers = _MARKED.split(text, maxsplit=1)
    fragments = {one["key"]: one["value"] for one in _FRAGMENT.finditer(place)}
    bare = place.partition("#")[0].strip("\"' ")
    named = _EXTRAS.search(bare) or _EXTRAS.search(fragments.get("egg", ""))
    extras = tuple(sorted(filter(None, re.split(r"[,\s]+", named["extras"])))) if named else ()
    origin = _origin(_EXTRAS.sub("", bare) + place[len(place.partition("#")[0]) :])
    url = str(origin["url"])
    stated, version = _of_file(url, "")
    name = _EXTRAS.sub("", fragments.get("egg", "")) or stated
    if not name and re.match(r"(https?|ftp):", place):
        raise InvalidRequirement(f"{url} is neither a wheel nor an sdist")
    marker = "".join(markers)
    try:
        _ = Marker(marker) if marker else None
    except InvalidMarker as error:
        raise InvalidRequirement(str(error)) from error
    name = canonicalize_name(name or _of_folder(url, folder))
    return Listed(name, Package(version, origin=origin, extras=extras), marker)


def _origin(url: str) -> dict[str, Json]:
    """A direct URL in the words of PEP 610: without `git+`, user and fragments, the revision apart."""
    fragments = {one["key"]: one["value"] for one in _FRAGMENT.finditer(url)}
    bare = scrub_url(re.sub(r"^(git|hg|svn|bzr)\+", "", url)).partition("#")[0]
    revision = _REVISION.match(bare) if re.match(r"(git|hg|svn|bzr)\+", url) else None
    facts: dict[str, Json] = {"url": revision["url"] if revision else bare}
    if revision:
        facts["commit"] = revision["revision"]
    digest = next((f"{key}={value}" for key, value in fragments.items() if key[:3] in ("sha", "md5")), "")
    return facts | ({"archive": digest} if digest else {})


def _of_file(url: str, name: str) -> tuple[str, str | None]:
    """Name and version in the name of a wheel or an sdist; the given name and None for anything else."""
    file = unquote(re.split(r"[/\\]", url.rstrip("/\\"))[-1])
    try:
        if file.endswith(".whl"):
            stated, version, _, _ = parse_wheel_filename(file)
        else:
            stated, version = parse_sdist_filename(file)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return name, None
    return (name or stated), str(version)


def _of_folder(url: str, folder: Path) -> str:
    """The name of the project in a folder, else that of the folder or of the repository."""
    place = folder / unquote(url.removeprefix("file://"))
    try:
        project = tomllib.loads((place / "pyproject.toml").read_text(encoding="utf-8")).get("project", {})
        if isinstance(project.get("name"), str):
            return str(project["name"])
    except (OSError, ValueError, AttributeError):
        pass
    last = re.split(r"[/\\]", url.rstrip("/\\"))[-1].removesuffix(".git")
    return last if last.strip(".") else place.absolute().name


def note_unread(found: RequirementList, sentence: str) -> None:
    """Add a sentence on what is not understood, up to a limit."""
    if len(found.unread) < MOST_UNREAD:
        found.unread.append(sentence)


def read_text(path: Path) -> str:
    """The decoded text of a list. Raises LedgerError where the file is not text or cannot be read."""
    data = b""
    try:
        data = read_regular(path, MOST_SETTINGS)
        return decode(data)
    except UnicodeDecodeError as error:
        raise not_utf8(path, data, error) from error
    except OSError as error:
        raise LedgerError(f"{path} cannot be read: {error.strerror}", hint="check the name") from error
    except ValueError as error:  # the name of an included file holds a NUL or half of a surrogate pair
        raise LedgerError(f"{str(path)!r} cannot be the name of a file", hint="check the name") from error
