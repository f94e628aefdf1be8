"""What differs between two sides, as suspects, the most suspicious first. Pure, and proves no cause.

The order: packages, Python, CUDA, the machine, the effective configuration. Among packages, those that the
worker really imported come first, then those of which nobody knows, then those that it did not import; within
each, by how far the versions are apart; of equals, those that compute the result before those that they use.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from ledger.difference import Difference, differences
from ledger.findings import Json
from ledger.suspects.side import EnvironmentSide, Package
from ledger.versions import Distance, distance

# They hold the code that makes tokens, tensors and text; the others move files and arguments about.
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
# Which settings can have made a result what it is, before those that say how it was made.
SECTIONS = ("model", "generation", "tokenizer", "training", "config", "runtime")
# Which embeddings are one matrix, which token begins and ends a text: changes of these broke reloads.
DECISIVE = (
    *("tie_word_embeddings", "share_encoder_decoder_embeddings", "scale_embedding", "scale_decoder_outputs"),
    *("forced_bos_token_id", "forced_eos_token_id", "decoder_start_token_id", "dtype", "use_cache"),
)
# A config's generation parameters moved to the generation config in transformers 5.
MOVED_TO = {"model": "generation", "config": "generate"}
# A config has these once it was saved: one that does not say them says nothing.
WRITTEN_ON_SAVE = frozenset(("architectures", "dtype", "torch_dtype"))
# Where things are written and who is told: nothing that is computed depends on it.
NO_MATTER = frozenset(
    (
        *(
            "output_dir",
            "logging_dir",
            "run_name",
            "project",
            "trackio_space_id",
            "disable_tqdm",
            "parallelism_config",
        ),
        *("log_level", "log_level_replica", "logging_strategy", "logging_steps", "logging_first_step"),
        *("save_total_limit", "save_on_each_node", "overwrite_output_dir", "skip_memory_metrics"),
        *("push_to_hub", "hub_model_id", "hub_strategy", "hub_token", "hub_private_repo", "hub_always_push"),
        *(
            "python",
            "torch",
            "transformers",
            "tokenizers",
        ),  # versions in `runtime`: they are among the packages
        *("hub_revision", "local_rank", "_n_gpu", "_name_or_path", "name_or_path", "transformers_version"),
    )
)


class Kind(StrEnum):
    """What a suspect is, in the order of the ranking."""

    PACKAGE = "package"
    PYTHON = "python"
    CUDA = "cuda"
    MACHINE = "machine"
    SETTING = "setting"


class Change(IntEnum):
    """How a package differs, the most suspicious first."""

    MAJOR = 0
    RANGE = 1  # the version is not one of those that the other side asks for
    MINOR = 2
    PATCH = 3
    RELEASE = 4
    ADDED = 5
    REMOVED = 6
    BUILD = 7
    ORIGIN = 8  # editable, or from another address
    ALTERED = 9  # the same version, with other files
    OTHER = 10

    @property
    def label(self) -> str:
        """The name used in JSON and in the table."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Suspect:
    """One difference. `before` and `after` are None where a side does not have it.

    `imported` is None where nobody knows, or it is no package. `chosen`: a spec sets it. `hard`: it can
    change what is computed, and a lockfile or a spec could have held it still.
    """

    kind: Kind
    name: str
    before: Json
    after: Json
    change: Change = Change.OTHER
    imported: bool | None = None
    chosen: bool = False
    hard: bool = True

    def to_json(self) -> dict[str, Json]:
        """The suspect as `--json` shows it."""
        return {
            "kind": str(self.kind),
            "name": self.name,
            "before": self.before,
            "after": self.after,
            "change": self.change.label,
            "imported": self.imported,
            "chosen": self.chosen,
            "hard": self.hard,
        }


def suspects(a: EnvironmentSide, b: EnvironmentSide) -> list[Suspect]:
    """Everything that differs, ranked. What a side does not tell is no difference."""
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
            hard = imported is not False
            found.append(Suspect(Kind.PACKAGE, name, before, after, change, imported, hard=hard))
    return sorted(found, key=_suspicion)


def python(a: EnvironmentSide, b: EnvironmentSide) -> Iterator[Suspect]:
    """Python's version. Another patch release is told, and is not hard: it fixes and changes no language."""
    if a.python and b.python and (far := distance(a.python, b.python)) is not None:
        change = Change[far.name]
        yield Suspect(Kind.PYTHON, "python", a.python, b.python, change, hard=change < Change.PATCH)


def cuda(a: EnvironmentSide, b: EnvironmentSide) -> Iterator[Suspect]:
    """torch's build, where its version does not tell it already, and the CUDA and cuDNN packages."""
    told = any(one.name == "torch" and one.change is Change.BUILD for one in packages(a, b))
    if a.torch and b.torch and a.torch != b.torch and not told:
        yield Suspect(Kind.CUDA, "torch build", a.torch, b.torch)
    for name in CUDA:
        before, after = ((side.machine or {}).get(name) for side in (a, b))
        if a.machine is not None and b.machine is not None and before != after:
            yield Suspect(Kind.CUDA, name, before, after)


def machine(a: EnvironmentSide, b: EnvironmentSide) -> Iterator[Suspect]:
    """What of the machines differs. Only another platform is hard: no lockfile holds a rented host still."""
    if a.machine is None or b.machine is None:
        return
    sides = [
        {key: value for key, value in side.items() if key not in CUDA} for side in (a.machine, b.machine)
    ]
    found = list(differences(sides[0], sides[1]))
    for one in sorted(found, key=lambda one: one.path != "platform"):
        hard = one.path == "platform"
        yield Suspect(Kind.MACHINE, one.path.replace("variables.", "$"), one.before, one.after, hard=hard)


def settings(a: EnvironmentSide, b: EnvironmentSide) -> list[Suspect]:
    """What of the effective configuration differs; what nobody chose comes before what a spec sets.

    Where one side has only what was written down, that alone is compared: the rest has defaults.
    """
    before, after = _comparable(a.settings or {}, b.settings or {})
    one_sided = a.partial is not b.partial
    found = [
        Suspect(
            Kind.SETTING,
            one.path,
            one.before,
            one.after,
            chosen=one.path in a.chosen | b.chosen,
            hard=not _says_the_same(one, before, after),
        )
        for one in differences(before, after)
        if _leaf(one.path) not in NO_MATTER and not (one_sided and (one.before is None or one.after is None))
    ]
    return sorted(found, key=_weight)


def _weight(one: Suspect) -> tuple[bool, bool, int, int, str]:
    leaf, section = _leaf(one.name), one.name.partition(".")[0]
    decisive = DECISIVE.index(leaf) if leaf in DECISIVE else len(DECISIVE)
    place = SECTIONS.index(section) if section in SECTIONS else len(SECTIONS)
    return one.chosen, not one.hard, decisive, place, one.name


def _says_the_same(one: Difference, before: Mapping[str, Json], after: Mapping[str, Json]) -> bool:
    """Whether a setting that one side does not have at all means there what it says on the other.

    It does where it is off (false, 0, 1.0, empty), or where the generation config has it on both sides.
    """
    leaf, value = _leaf(one.path), one.after if one.before is None else one.before
    if leaf in DECISIVE or not _is_unset(one):
        return False
    section = one.path.removesuffix(f".{leaf}")
    if any(_has_moved(section, leaf, side, value) for side in (before, after)):
        return all(_has_moved(section, leaf, side, value) for side in (before, after))
    is_off = value in (False, 0, 1.0, "", "auto") or value in ([], {})
    return is_off and value is not True and not leaf.endswith(("_id", "_ids"))


def _is_unset(one: Difference) -> bool:
    return one.before is None or one.after is None


def _has_moved(section: str, leaf: str, side: Mapping[str, Json], value: Json) -> bool:
    for old, new in MOVED_TO.items():
        if section == old or f".{old}" in section:
            found = side.get(section.replace(old, new)) or {}
            return isinstance(found, Mapping) and leaf in found and found[leaf] == value
    return False


def _leaf(path: str) -> str:
    return path.rpartition(".")[2]


def _comparable(
    before: Mapping[str, Json], after: Mapping[str, Json]
) -> tuple[dict[str, Json], dict[str, Json]]:
    """The sections that both have. W&B has one alone, in which training arguments win over the model's."""
    if ("config" in before) is not ("config" in after):
        before, after = ({"config": _flat(side)} for side in (before, after))
    shared = [name for name in before if name in after]
    return {name: before[name] for name in shared}, {name: after[name] for name in shared}


def _flat(side: Mapping[str, Json]) -> Json:
    return side["config"] if "config" in side else {**side.get("model", {}), **side.get("training", {})}


def _package(a: EnvironmentSide, b: EnvironmentSide, name: str) -> Iterator[tuple[Change, Json, Json]]:
    """How one distribution differs: at most in one way, the most suspicious."""
    old, new = (a.packages or {}).get(name), (b.packages or {}).get(name)
    if old is None or new is None:
        yield from _absent(a, b, old, new)
        return
    if not old.version or not new.version:
        if not _is_wanted(old, new):
            yield Change.RANGE, old.version or old.wanted, new.version or new.wanted
        return
    far = distance(old.version, new.version)
    if far is not None and far is not Distance.BUILD:
        yield Change[far.name], old.version, new.version
    elif far is Distance.BUILD:
        yield Change.BUILD, old.version, new.version
    elif dict(old.origin) != dict(new.origin):
        yield Change.ORIGIN, _place(old), _place(new)
    elif old.changed != new.changed or (old.files and new.files and old.files != new.files):
        yield Change.ALTERED, _files(old), _files(new)


def _absent(
    a: EnvironmentSide, b: EnvironmentSide, old: Package | None, new: Package | None
) -> Iterator[tuple[Change, Json, Json]]:
    """A distribution that one side has alone. What a list of pins leaves out may well be there beside it."""
    if old is None and new is not None and not a.few and not (b.whole and not a.whole):
        yield Change.ADDED, None, new.version or new.wanted
    if new is None and old is not None and not b.few and not (a.whole and not b.whole):
        yield Change.REMOVED, old.version or old.wanted, None


def _is_wanted(old: Package, new: Package) -> bool:
    """Whether one side's version is in the other's range; two ranges have to be equal."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion

    if not old.version and not new.version:
        return old.wanted == new.wanted
    version, wanted = (old.version, new.wanted) if old.version else (new.version, old.wanted)
    try:
        return SpecifierSet(wanted).contains(version or "", prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return False


def _place(package: Package) -> str:
    """Where a distribution came from, in a few words."""
    if not package.origin:
        return f"{package.version} from an index"
    how = "editable" if package.origin.get("editable") else "from"
    commit = str(package.origin.get("commit") or "")[:8]
    return " ".join(
        part for part in (str(package.version), how, str(package.origin.get("url")), commit) if part
    )


def _files(package: Package) -> str:
    if package.changed:
        return f"{package.version}, {len(package.changed)} files changed: {package.changed[0]}"
    return (
        f"{package.version} as released"
        if package.files is None
        else f"{package.version} {package.files[:19]}"
    )


def _suspicion(one: Suspect) -> tuple[int, int, int, str]:
    known = {True: 0, None: 1, False: 2}[one.imported]
    central = CENTRAL.index(one.name) if one.name in CENTRAL else len(CENTRAL)
    return known, one.change, central, one.name
