"""Ranks the differences between two environments, most suspicious first. A suspect is not a proven cause.

The order: packages, Python, CUDA, the machine, the effective configuration. Among packages, those that the
worker imported come first, then those where that is unknown, then those that it did not import; within each,
larger version differences first; then the packages that compute the result before those that they use.
"""

from collections.abc import Iterator

from ledger.environments.diff.settings import settings
from ledger.environments.versions import Distance, distance
from ledger.evidence.environment import EnvironmentSide, Package
from ledger.evidence.suspects import Change, Kind, Suspect
from ledger.findings import Json
from ledger.utils.mapping_diff import differences
from ledger.utils.plural import and_more, count

# These contain the code that computes tokens, tensors and text; others only handle files and arguments.
CENTRAL = (
    "transformers",
    "torch",
    "tokenizers",
    "sentencepiece",
    "lightning",
    "accelerate",
    "numpy",
    "safetensors",
)
CUDA = ("cuda", "cudnn")
LISTS = {"requirements", "lockfile"}
OPTIONS = "pip's options"
WITHOUT_ORIGIN: frozenset[str] = frozenset(("wandb", "folder"))  # these record only names and versions


def suspects(a: EnvironmentSide, b: EnvironmentSide) -> list[Suspect]:
    """All differences, ranked. A value missing on one side is not a difference."""
    return [*packages(a, b), *python(a, b), *cuda(a, b), *machine(a, b), *settings(a, b)]


def packages(a: EnvironmentSide, b: EnvironmentSide) -> list[Suspect]:
    """The distributions that differ, ranked."""
    if a.packages is None or b.packages is None:
        return []
    known = [side.imported for side in (a, b) if side.imported is not None]
    found = []
    for name in sorted({*a.packages, *b.packages}):
        imported = any(name in names for names in known) if known else None
        for change, before, after in _package(a, b, name):
            hard = imported is not False and not _is_elsewhere(a, b, name)
            found.append(Suspect(Kind.PACKAGE, name, before, after, change, imported, hard=hard))
    return [*sorted(found, key=_suspicion), *_options(a, b)]


def python(a: EnvironmentSide, b: EnvironmentSide) -> Iterator[Suspect]:
    """Python's version. Another patch release is listed but not hard: it does not change the language."""
    if a.python and b.python and (far := distance(a.python, b.python)) is not None:
        change = Change[far.name]
        yield Suspect(Kind.PYTHON, "python", a.python, b.python, change, hard=change < Change.PATCH)


def cuda(a: EnvironmentSide, b: EnvironmentSide) -> Iterator[Suspect]:
    """torch's build, unless its version already shows it, and the CUDA and cuDNN versions."""
    shown = any(one.name == "torch" and one.change is Change.BUILD for one in packages(a, b))
    if a.torch and b.torch and a.torch != b.torch and not shown:
        yield Suspect(Kind.CUDA, "torch build", a.torch, b.torch)
    for name in CUDA:
        before, after = ((side.machine or {}).get(name) for side in (a, b))
        if a.machine is not None and b.machine is not None and before != after:
            yield Suspect(Kind.CUDA, name, before, after)


def machine(a: EnvironmentSide, b: EnvironmentSide) -> Iterator[Suspect]:
    """Differences of the machines. Only the platform is hard: no lockfile can pin a rented host."""
    if a.machine is None or b.machine is None:
        return
    sides = [
        {key: value for key, value in side.items() if key not in CUDA} for side in (a.machine, b.machine)
    ]
    found = list(differences(sides[0], sides[1]))
    for one in sorted(found, key=lambda one: one.path != "platform"):
        hard = one.path == "platform"
        yield Suspect(Kind.MACHINE, one.path.replace("variables.", "$"), one.before, one.after, hard=hard)


def _is_elsewhere(a: EnvironmentSide, b: EnvironmentSide, name: str) -> bool:
    """Whether a package is for other machines, or is an extra that only one side offers.

    An extra that both offer may well have been asked for.
    """
    markers = [one.marker for side in (a, b) if (one := (side.packages or {}).get(name))]
    return all(marker and ("extra" not in marker or len(markers) == 1) for marker in markers)


def _options(a: EnvironmentSide, b: EnvironmentSide) -> Iterator[Suspect]:
    """pip's options: the same version from another index may be another build."""
    if a.options is not None and b.options is not None and {*a.options} != {*b.options}:
        before, after = (" ".join(one) or None for one in (a.options, b.options))
        yield Suspect(Kind.PACKAGE, OPTIONS, before, after, Change.ORIGIN)


def _package(a: EnvironmentSide, b: EnvironmentSide, name: str) -> Iterator[tuple[Change, Json, Json]]:
    """The most suspicious difference of one distribution, if any."""
    old, new = (a.packages or {}).get(name), (b.packages or {}).get(name)
    if old is None or new is None:
        yield from _absent(a, b, old, new)
        return
    if not old.version or not new.version:
        if old.origin or new.origin:
            if not _is_same_place(old, new):
                yield Change.ORIGIN, _place(old), _place(new)
        elif not _is_wanted(old, new):
            yield Change.RANGE, _asked(old), _asked(new)
        return
    far = distance(old.version, new.version)
    if far is not None and far is not Distance.BUILD:
        yield Change[far.name], old.version, new.version
    elif far is Distance.BUILD:
        yield Change.BUILD, old.version, new.version
    elif old.build and new.build and old.build != new.build:
        yield Change.BUILD, f"{old.version} {old.build}", f"{new.version} {new.build}"
    elif not _is_same_place(old, new) and not _lacks_origin(a, old) and not _lacks_origin(b, new):
        yield Change.ORIGIN, _place(old), _place(new)
    elif old.hashes and new.hashes and not old.hashes & new.hashes:
        yield Change.ALTERED, f"{old.version} {min(old.hashes)[:19]}", f"{new.version} {min(new.hashes)[:19]}"
    elif old.changed != new.changed or (old.files and new.files and old.files != new.files):
        yield Change.ALTERED, _files(old), _files(new)


def _absent(
    a: EnvironmentSide, b: EnvironmentSide, old: Package | None, new: Package | None
) -> Iterator[tuple[Change, Json, Json]]:
    """A distribution that only one side has. A package that a list of pins omits may still be installed."""
    lists = {a.kind, b.kind} <= LISTS
    if any(one and one.marker for one in (old, new)) and not lists:
        return  # what is installed has no markers
    if lists and a.few and b.few:
        yield (Change.REMOVED, _asked(old), None) if old else (Change.ADDED, None, _asked(new))
    if old is None and new is not None and not a.few and not (b.whole and not a.whole):
        yield Change.ADDED, None, _asked(new)
    if new is None and old is not None and not b.few and not (a.whole and not b.whole):
        yield Change.REMOVED, _asked(old), None


def _is_wanted(old: Package, new: Package) -> bool:
    """Whether one side's version is in the other's range; two ranges must be equal."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion

    if not old.version and not new.version:
        return (old.wanted, old.extras) == (new.wanted, new.extras)
    version, wanted = (old.version, new.wanted) if old.version else (new.version, old.wanted)
    try:
        return SpecifierSet(wanted).contains(version or "", prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return False


def _lacks_origin(side: EnvironmentSide, package: Package) -> bool:
    """Whether the side would not show that a package is from elsewhere."""
    return side.kind in WITHOUT_ORIGIN and not package.origin


def _is_same_place(old: Package, new: Package) -> bool:
    """Whether both are from the same direct URL, as far as both state commit and hash; or from an index."""
    if not old.origin or not new.origin:
        return not old.origin and not new.origin
    urls = {str(one.origin.get("url")).rstrip("/").removesuffix(".git") for one in (old, new)}
    editable = {bool(one.origin.get("editable")) for one in (old, new)}
    details = [{*filter(None, (old.origin.get(key), new.origin.get(key)))} for key in ("commit", "archive")]
    return len(urls) == len(editable) == 1 and all(len(one) <= 1 for one in details)


def _asked(package: Package | None) -> str | None:
    """What a list asks for, or what is installed, in a few words."""
    if package is None:
        return None
    if package.origin:
        return _place(package)
    extras = f"[{','.join(package.extras)}] " if package.extras and not package.version else ""
    return f"{extras}{package.version or package.wanted or 'any version'}"


def _place(package: Package) -> str:
    """Where a distribution came from, in a few words."""
    if not package.origin:
        return f"{package.version or package.wanted or 'any version'} from an index"
    how = "editable" if package.origin.get("editable") else "from"
    commit = str(package.origin.get("commit") or "")[:8]
    return " ".join(
        part for part in (package.version or "", how, str(package.origin.get("url")), commit) if part
    )


def _files(package: Package) -> str:
    if package.changed:
        files = count(len(package.changed), "modified file")
        return f"{package.version}, {files}: {and_more(package.changed, 1)}"
    return (
        f"{package.version} as released"
        if package.files is None
        else f"{package.version} {package.files[:19]}"
    )


def _suspicion(one: Suspect) -> tuple[int, int, int, str]:
    known = {True: 0, None: 1, False: 2}[one.imported]
    central = CENTRAL.index(one.name) if one.name in CENTRAL else len(CENTRAL)
    return known, one.change, central, one.name
