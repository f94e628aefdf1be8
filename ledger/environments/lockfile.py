"""Lockfiles of pip-compile and of PEP 751: the pins, and the variant that an environment fits best.

The text format is parsed here, with `packaging` for each requirement; ADR 11 says why no library does it.
"""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from ledger.environments.pin import SUFFIXES, Pin
from ledger.environments.requirements import decode, logical_lines
from ledger.errors import LedgerError, UsageError
from ledger.utils.hashing import digest_bytes
from ledger.utils.regular_file import MOST_SETTINGS, read_regular
from ledger.utils.textfiles import not_utf8

# NAME.txt needs only the public index; NAME-cpu.txt has torch's +cpu build, which not every index has.
VARIANTS = ("", "-cpu")
RECOMPILE = "compile it again: ledger env lock NAME"
_INDEX_OPTION = re.compile(
    r"(-i|-f|--(extra-)?index-url|--find-links|--trusted-host|--(no|only)-binary|--pre)\b"
)
_HASH = re.compile(r"\s--hash[= ](\S+)")


@dataclass(frozen=True, slots=True)
class Lockfile:
    """One compiled lockfile; `digest` is over its bytes.

    `options` are its lines about indexes, `groups` the dependency groups that it installs, `meant_for` the
    marker of the environments that it is for.
    """

    path: Path
    pins: tuple[Pin, ...]
    digest: str
    options: tuple[str, ...] = field(default=(), repr=False)
    groups: tuple[str, ...] = ()
    meant_for: str = ""

    @property
    def name(self) -> str:
        """`NAME` of `NAME.txt` and `pylock.NAME.toml`, which is what a spec and `--env` call it."""
        return self.path.stem.removeprefix("pylock.")

    def versions(self, markers: Mapping[str, str]) -> dict[str, str]:
        """Name to version of the pins that apply where the environment markers are `markers`."""
        return {pin.name: pin.version for pin in self.applying(markers)}

    def applying(self, markers: Mapping[str, str]) -> list[Pin]:
        """The pins that apply where the environment markers are `markers`.

        Raises LedgerError where the lockfile is meant for other environments.
        """
        from packaging.markers import Marker

        values: dict[str, str | Set[str]] = {
            **markers,
            "extra": "",
            "extras": frozenset[str](),
            "dependency_groups": frozenset(self.groups),
        }
        if self.meant_for and not Marker(self.meant_for).evaluate(values, context="lock_file"):
            raise LedgerError(
                f"{self.path} is not for this environment (Python {markers.get('python_full_version')}): "
                f"it requires {self.meant_for}",
                hint="run ledger with a suitable Python, or lock again for this one",
            )
        return [
            pin
            for pin in self.pins
            if not pin.marker or Marker(pin.marker).evaluate(values, context="lock_file")
        ]

    def requirements(self, markers: Mapping[str, str]) -> str:
        """The requirements file for `--require-hashes`, where the environment markers are `markers`.

        `===` is deliberate: `==2.13.0` also matches 2.13.0+cpu, which has another hash.
        """
        lines = [self._with_absolute_folder(option) for option in self.options]
        for pin in self.applying(markers):
            wanted = f"{pin.name} @ {pin.url}" if pin.url else f"{pin.name}==={pin.version}"
            lines.append(" ".join([wanted, *(f"--hash={value}" for value in pin.hashes)]))
        return "".join(f"{line}\n" for line in lines)

    def _with_absolute_folder(self, option: str) -> str:
        """An option of the file. A relative folder of wheels is relative to the file."""
        name, _, where = option.replace("=", " ", 1).partition(" ")
        folder = self.path.absolute().parent / where.strip()
        return f"{name} {folder}" if name in ("-f", "--find-links") and folder.is_dir() else option


def find(name: str, folder: Path) -> list[Lockfile]:
    """The lockfiles of the environment `name` in `folder`; `name` may also be the path of one lockfile.

    Raises UsageError when there is none, LedgerError when one cannot be read.
    """
    if is_path(name):
        return [read(Path(name))]
    paths = [folder / f"{name}{variant}.txt" for variant in VARIANTS]
    found = [read(path) for path in paths if path.is_file()]
    if not found and (path := folder / f"pylock.{name}.toml").is_file():
        found = [read(path)]
    if not found:
        near = difflib.get_close_matches(name, names(folder), n=1)
        known = f"did you mean {near[0]}?" if near else f"known: {', '.join(names(folder)) or 'none'}"
        if (folder / f"{name}.in").is_file():
            known = f"compile it: ledger env lock {name}"
        raise UsageError(f"no lockfile {name}.txt in {folder}", hint=known)
    return found


def is_path(name: str) -> bool:
    """Whether `name` is the path of one lockfile rather than the name of an environment."""
    return name.endswith(SUFFIXES)


def names(folder: Path) -> list[str]:
    """The environments pinned in `folder`: each `NAME.in` that is compiled, and each `pylock.NAME.toml`."""
    pylocks = (path.stem.removeprefix("pylock.") for path in folder.glob("pylock.*.toml"))
    sources = (path.stem for path in folder.glob("*.in"))
    compiled = (name for name in sources if any((folder / f"{name}{one}.txt").is_file() for one in VARIANTS))
    return sorted({*pylocks, *compiled})


def select(
    variants: Sequence[Lockfile], installed: Mapping[str, str], markers: Mapping[str, str]
) -> Lockfile:
    """The variant that differs least from the installed versions; the first of equals."""

    def differences(lockfile: Lockfile) -> int:
        return sum(installed.get(name) != version for name, version in lockfile.versions(markers).items())

    return min(variants, key=differences)


def read(path: Path) -> Lockfile:
    """Parse one lockfile.

    Raises LedgerError, with the line, when it cannot be read or holds anything but exact pins.
    """
    try:
        content = read_regular(path, MOST_SETTINGS)
        text = decode(content)
    except FileNotFoundError as error:
        raise LedgerError(f"no lockfile {path}", hint="compile it with: ledger env lock NAME") from error
    except IsADirectoryError as error:
        raise LedgerError(f"{path} is a folder, not a lockfile", hint="name the file itself") from error
    except UnicodeDecodeError as error:
        raise not_utf8(path, content, error) from error
    if path.suffix in SUFFIXES[2:]:
        pins, meant_for = _of_another_tool(path)
        return Lockfile(path, pins, digest_bytes(content), meant_for=meant_for)
    if path.suffix == ".toml":
        from ledger.environments.pylock import parse

        pins, groups, meant_for = parse(path, text)
        return Lockfile(path, pins, digest_bytes(content), (), groups, meant_for)
    options = tuple(line for _, line in logical_lines(text) if _INDEX_OPTION.match(line))
    return Lockfile(path, tuple(_pins(path, text)), digest_bytes(content), options)


def _of_another_tool(path: Path) -> tuple[tuple[Pin, ...], str]:
    """The pins of a uv.lock or a similar file, and the marker of the environments that it is for."""
    from ledger.environments.package_lists import read_list
    from ledger.environments.pylock import python_marker

    found = read_list(path)
    if found.whole or path.suffix != ".lock":
        raise LedgerError(
            f"{path} does not pin every package with a hash that pip and uv can verify",
            hint="name a uv.lock, a poetry.lock or a Pipfile.lock, or lock again: ledger env lock NAME",
        )
    pins = []
    for one in found.listed:
        if one.package.origin.get("editable") and one.package.origin.get("url") == ".":
            continue  # the project of the lockfile
        if one.package.origin or not one.package.version or not one.package.hashes:
            why = "from a place that no hash verifies" if one.package.origin else "without a SHA-256"
            raise LedgerError(
                f"{path} takes {one.name} {why}", hint="lock released packages, or export a list with hashes"
            )
        hashes = tuple(sorted(one.package.hashes))
        pins.append(Pin(one.name, one.package.version, hashes, one.marker))
    return tuple(pins), python_marker(found.requires_python) if found.requires_python else ""


def _pins(path: Path, text: str) -> Iterator[Pin]:
    seen: dict[tuple[str, str], str] = {}
    for number, line in logical_lines(text):
        if _INDEX_OPTION.match(line):
            continue
        pin = _pin(path, number, line)
        if seen.setdefault((pin.name, pin.marker), pin.version) != pin.version:
            raise _malformed(path, number, f"pins {pin.name} to a second version")
        yield pin


def _pin(path: Path, number: int, line: str) -> Pin:
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    try:
        requirement = Requirement(_HASH.sub("", f"{line} ").strip())
    except InvalidRequirement as error:
        raise _malformed(path, number, "is not a requirement") from error
    specifiers = list(requirement.specifier)
    exact = len(specifiers) == 1 and specifiers[0].operator in ("==", "===")
    if not exact or specifiers[0].version.endswith(".*"):
        raise _malformed(path, number, f"does not pin {requirement.name} to one version")
    return Pin(
        canonicalize_name(requirement.name),
        specifiers[0].version,
        tuple(_HASH.findall(line)),
        str(requirement.marker or ""),
    )


def _malformed(path: Path, number: int, problem: str) -> LedgerError:
    return LedgerError(
        f"{path}, line {number}, {problem}",
        hint=f"a lockfile holds NAME==VERSION lines as pip-compile writes them; {RECOMPILE}",
    )
