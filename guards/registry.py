"""All guards, by family: the list that commands, documentation and tests use.

A new guard is a module in its family's package, an item of that package's GUARDS, and a table of tests. A
family is imported when it is first asked for: all of them together take as long as a short command.
"""

from importlib import import_module

from guards.guard import Guard

PREFLIGHT: tuple[Guard, ...]
TEXT: tuple[Guard, ...]
GENERATED: tuple[Guard, ...]
SCORES: tuple[Guard, ...]
COMET: tuple[Guard, ...]
GIVEN: tuple[Guard, ...]
IDENTITY: tuple[Guard, ...]
TRAINED: tuple[Guard, ...]
ENVIRONMENT: tuple[Guard, ...]
CHECKPOINT: tuple[Guard, ...]
TRAINING: tuple[Guard, ...]
CLAIMS: tuple[Guard, ...]
JOURNAL: tuple[Guard, ...]
REPRODUCTION: tuple[Guard, ...]
GATE: tuple[Guard, ...]

# The lists that each name above joins: package and attribute.
_LISTS: dict[str, tuple[tuple[str, str], ...]] = {
    "PREFLIGHT": (("identity", "BEFORE"), ("preflight", "GUARDS")),
    "TEXT": (("text", "GUARDS"),),
    "GENERATED": (("text", "GENERATED"),),
    "SCORES": (("scores", "GUARDS"),),
    "COMET": (("scores", "COMET"),),
    "GIVEN": (("scores", "GIVEN"),),
    "IDENTITY": (("identity", "AFTER"),),
    "TRAINED": (("identity", "TRAINED"),),
    "ENVIRONMENT": (("environment", "GUARDS"), ("environment", "DIFFERENCES")),
    "CHECKPOINT": (("checkpoint", "GUARDS"),),
    "TRAINING": (("training", "GUARDS"),),
    "CLAIMS": (("claims", "GUARDS"),),
    "JOURNAL": (("journal", "GUARDS"), ("journal", "AGAINST_BASE")),
    "REPRODUCTION": (("reproduction", "GUARDS"),),
    "GATE": (("gate", "GUARDS"),),
}
# Each family with the beginning of its codes and the names above that it consists of.
_FAMILIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "preflight": ("PRE", ("PREFLIGHT",)),
    "environment": ("ENV", ("ENVIRONMENT",)),
    "text": ("TXT", ("TEXT", "GENERATED")),
    "scores": ("SCO", ("SCORES", "GIVEN", "COMET")),
    "identity": ("DUP", ("IDENTITY", "TRAINED")),
    "checkpoint": ("CKP", ("CHECKPOINT",)),
    "training": ("TRN", ("TRAINING",)),
    "journal": ("JRN", ("JOURNAL",)),
    "claims": ("CLM", ("CLAIMS",)),
    "reproduction": ("REP", ("REPRODUCTION",)),
    "gate": ("GAT", ("GATE",)),
}


def __getattr__(name: str) -> tuple[Guard, ...]:
    if name not in _LISTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    lists = (getattr(import_module(f"guards.{package}"), part) for package, part in _LISTS[name])
    found: tuple[Guard, ...] = tuple(guard for one in lists for guard in one)
    globals()[name] = found
    return found


def families() -> dict[str, tuple[Guard, ...]]:
    """All guards by the name of their family, in the order of the documentation."""
    return {family: _members(names) for family, (_, names) in _FAMILIES.items()}


def rated() -> tuple[str, ...]:
    """The codes on whose rate of flagged lines a spec or `[tool.ledger]` may set a limit."""
    return tuple(guard.CODE for guard in _members(("TEXT", "GENERATED")))


def by_code() -> dict[str, Guard]:
    """All guards by their code, in the order of the documentation."""
    return {guard.CODE: guard for guards in families().values() for guard in guards}


def find(code: str) -> Guard | None:
    """The guard of a code; only its family is imported."""
    names = next((names for start, names in _FAMILIES.values() if code.startswith(start)), ())
    return next((guard for guard in _members(names) if code == guard.CODE), None)


def _members(names: tuple[str, ...]) -> tuple[Guard, ...]:
    return tuple(guard for name in names for guard in globals().get(name) or __getattr__(name))
