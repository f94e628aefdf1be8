"""Where things are: the repository's folders and its `[tool.ledger]` settings."""

import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ledger.errors import UsageError
from ledger.findings import Json
from ledger.utils.regular_file import MOST_SETTINGS, read_regular


@dataclass(frozen=True)
class Workspace:
    """A repository prepared by `ledger init`; every path that the ledger uses is a property here."""

    root: Path
    settings: dict[str, Json] = field(default_factory=dict)

    @classmethod
    def find(cls, start: Path | None = None) -> "Workspace":
        """The nearest at or above `start` with `experiments/` next to `.git` or `.ledger`, or a journal.

        The journal counts because in a fresh clone a ledger in a subfolder has neither of the other two.

        Raises UsageError where there is none, or where its pyproject.toml cannot be read.
        """
        here = (start or Path.cwd()).resolve()
        for folder in (here, *here.parents):
            if (folder / "experiments").is_dir() and _is_root(folder):
                return cls(folder, read_settings(folder / "pyproject.toml"))
        raise UsageError(
            f"no ledger at or above {here}", hint="create one with: ledger init (in a git repository)"
        )

    @classmethod
    def find_if_any(cls) -> "Workspace | None":
        """The workspace here, or None, for commands that also work outside one."""
        try:
            return cls.find()
        except UsageError:
            return None

    @cached_property
    def experiments(self) -> Path:
        """The specs, `<name>.yaml`."""
        return self.root / "experiments"

    @cached_property
    def lockfiles(self) -> Path:
        """The pinned environments."""
        return self.root / "lockfiles"

    @cached_property
    def journal(self) -> Path:
        """The journal: committed, append-only."""
        return self.experiments / "ledger.jsonl"

    @cached_property
    def private(self) -> Path:
        """What the ledger writes that git ignores."""
        return self.root / ".ledger"

    @cached_property
    def rehearsal_journal(self) -> Path:
        """The rehearsals' own journal, so that they never mix with results."""
        return self.private / "rehearsals.jsonl"

    @cached_property
    def runs(self) -> Path:
        """One folder per run: shards, output, the worker's log."""
        return self.private / "runs"

    @cached_property
    def models(self) -> Path:
        """The tiny models that rehearsals trained, by architecture and environment digest."""
        return self.private / "models"


def read_settings(path: Path) -> dict[str, Json]:
    """The `[tool.ledger]` table of a pyproject.toml; empty when there is none."""
    try:
        table = tomllib.loads(read_regular(path, MOST_SETTINGS).decode("utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}") from error
    settings: dict[str, Json] = table.get("tool", {}).get("ledger", {})
    return settings


def _is_root(folder: Path) -> bool:
    journal = folder / "experiments" / "ledger.jsonl"
    return (folder / ".git").exists() or (folder / ".ledger").is_dir() or journal.is_file()
