"""What changed in the parts of a package that given code uses, from the source of two versions.

Nothing is imported. griffe compares; this module selects the classes and functions, and those of griffe's
findings that concern the code.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ledger.errors import LedgerError
from ledger.findings import Json

_DEFINED = re.compile(r"^(?:class|def) (\w+)", re.MULTILINE)
_ALWAYS = frozenset(("__init__", "__call__", "forward"))
_NOISE = frozenset(
    ("PARAMETER_MOVED", "PARAMETER_CHANGED_KIND", "ATTRIBUTE_CHANGED_TYPE", "RETURN_CHANGED_TYPE")
)
MOST_BASES = 20  # levels of inheritance that are followed


@dataclass(frozen=True, slots=True)
class Used:
    """What code imports from each package, by import name, and every attribute and keyword in it."""

    names: Mapping[str, frozenset[str]] = field(default_factory=dict)
    attributes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ApiChange:
    """One changed parameter, attribute, base or method of a symbol that is used."""

    package: str
    symbol: str
    what: str
    before: str
    after: str

    def to_json(self) -> dict[str, Json]:
        """The change as `--json` shows it."""
        return {
            "package": self.package,
            "symbol": self.symbol,
            "what": self.what,
            "before": self.before,
            "after": self.after,
        }


def used_by(paths: Iterable[Path], extra: Mapping[str, Iterable[str]], given: Iterable[str] = ()) -> Used:
    """What Python files use. `extra`: names by package that the code looks up as text; `given`: keywords that
    come from elsewhere.

    Raises LedgerError for a file that cannot be parsed as Python.
    """
    names = {package: set(more) for package, more in extra.items()}
    attributes = set(given)
    for path in paths:
        for node in ast.walk(_parse(path)):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.setdefault(node.module.partition(".")[0], set()).update(one.name for one in node.names)
            elif isinstance(node, ast.keyword) and node.arg:
                attributes.add(node.arg)
            elif isinstance(node, ast.Attribute):
                attributes.add(node.attr)
                if isinstance(node.value, ast.Name):
                    names.setdefault(node.value.id, set()).add(node.attr)
    return Used({package: frozenset(found) for package, found in names.items()}, frozenset(attributes))


def site_packages(interpreter: Path) -> Path:
    """The folder of a virtual environment's packages. Raises LedgerError where there is none."""
    found = sorted(interpreter.absolute().parents[1].glob("lib/python*/site-packages"))
    if not found:
        raise LedgerError(
            f"{interpreter} belongs to no environment with site-packages",
            hint="name the python of a virtual environment",
        )
    return found[0]


def changes(package: str, before: Path, after: Path, used: Used) -> Iterator[ApiChange]:
    """Changes to the used names of `package` between two folders of packages, by symbol.

    Base classes are included. A package that only one side has yields nothing: `diff-env` reports it anyway.
    """
    old, new = (PackageSource.of(folder / package) for folder in (before, after))
    if old is None or new is None:
        return
    wanted = used.names.get(package, frozenset())
    for name in sorted(old.with_bases(wanted & old.defined.keys())):
        if name not in new.defined:
            yield ApiChange(package, name, "gone", "there", "")
        else:
            yield from _compare(package, name, old, new, used)


@dataclass(frozen=True, slots=True)
class PackageSource:
    """One version of a package: the file that defines each top-level class and function."""

    root: Path
    defined: Mapping[str, Path]

    @classmethod
    def of(cls, root: Path) -> "PackageSource | None":
        """Scan all files of the package; None where there is no such package."""
        if not root.is_dir():
            return None
        defined: dict[str, Path] = {}
        for path in sorted(root.rglob("*.py"), key=lambda path: (len(path.parts), path)):
            for name in _DEFINED.findall(path.read_text(encoding="utf-8", errors="replace")):
                defined.setdefault(name, path)
        return cls(root, defined)

    def with_bases(self, names: Iterable[str]) -> set[str]:
        """The names, and the classes of this package that they inherit from."""
        found: set[str] = set()
        waiting = list(names)
        for _ in range(MOST_BASES):
            found.update(waiting)
            bases = {base for name in waiting for base in self._bases(name)}
            waiting = sorted((bases & self.defined.keys()) - found)
        return found

    def _bases(self, name: str) -> Iterator[str]:
        for node in _parse(self.defined[name]).body:
            if isinstance(node, ast.ClassDef) and node.name == name:
                yield from (base.id for base in node.bases if isinstance(base, ast.Name))


def _compare(
    package: str, name: str, old: PackageSource, new: PackageSource, used: Used
) -> Iterator[ApiChange]:
    """griffe's findings on one symbol, for the members that are used."""
    import griffe

    sides = [_visit(griffe, one.defined[name], name) for one in (old, new)]
    members = used.attributes | _ALWAYS
    for found in griffe.find_breaking_changes(*sides):
        path = found.obj.path.partition(".")[2]
        member = path.removeprefix(name).lstrip(".").partition(".")[0]
        if found.kind.name not in _NOISE and (not member or member in members):
            values = found.old_value, found.new_value
            parameter = next((one.name for one in values if isinstance(one, griffe.Parameter)), "")
            symbol = f"{path}({parameter})" if parameter else path
            before, after = ("" if _short(value) == member else _short(value) for value in values)
            yield ApiChange(package, symbol, _words(found.kind.value), before, after)


def _visit(griffe: Any, path: Path, name: str) -> Any:
    """griffe's view of a file, reduced to that one symbol."""
    try:
        module = griffe.visit(path.stem, filepath=path, code=path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError) as error:
        raise LedgerError(
            f"{path} cannot be parsed: {error}", hint="reinstall the package, or omit --api"
        ) from error
    for other in [one for one in module.members if one != name]:
        module.del_member(other)
    return module


def _parse(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes(), filename=str(path))
    except (OSError, SyntaxError, ValueError) as error:
        raise LedgerError(f"{path} cannot be read as Python: {error}", hint="is it the script?") from error


def _words(kind: str) -> str:
    """griffe's sentence without auxiliary verbs: "parameter default changed"."""
    return re.sub(r"\b(was|is|are) ", "", kind).lower()


def _short(value: object) -> str:
    """A parameter's default, an object's name, or the value itself, as one line of text."""
    for part in ("default", "name"):
        value = getattr(value, part, None) or value
    text = " ".join(str("" if value is None else value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
