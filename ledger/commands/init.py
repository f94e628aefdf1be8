"""Prepares a repository: adds the few lines that the ledger needs to the user's own files."""

from dataclasses import dataclass
from pathlib import Path

from ledger.environments.packaged import DEFAULT, add_lockfiles
from ledger.errors import LedgerError, UsageError
from ledger.workspace import Workspace, read_settings

JOURNAL_MERGE = "experiments/ledger.jsonl merge=union -text"  # no conversion of line ends
# `.ledger/` holds what is large, private or specific to this machine; outputs would be uncommitted changes.
IGNORED = ("/.ledger/", "/outputs/")

SETTINGS = """
[tool.ledger]
# The highest share of an output's lines that a text guard may flag, unless a spec sets another:
# max_rate = { TXT003 = 0.05 }
"""

FIRST_SPEC = f"""\
title: A first experiment
task: generation
environment: {DEFAULT}
model:
  name: facebook/mbart-large-50-many-to-many-mmt
  dtype: float16
languages: {{source: ko, target: en}}
codes: {{source: ko_KR, target: en_XX}}
data:
  source: data/test.ko
  reference: data/test.en
output: outputs/first.en
generation:
  batch_size: 20
  num_beams: 3
  max_length: 128
"""


@dataclass(frozen=True, slots=True)
class InitStep:
    """One file that a repository needs, and what was done to it."""

    path: str
    did: str


@dataclass(frozen=True, slots=True)
class Ready:
    """A prepared repository, and the steps taken."""

    root: Path
    steps: tuple[InitStep, ...]


def make_ready(start: Path | None = None) -> Ready:
    """Prepare the git repository around `start`; raises UsageError if there is none."""
    here = (start or Path.cwd()).resolve()
    root = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), None)
    if root is None:
        raise UsageError(f"{here} is not in a git repository", hint="create one first: git init")
    # If a file is broken, these raise before anything is written.
    read_settings(root / "pyproject.toml")
    for name in (".gitattributes", ".gitignore"):
        _text(root / name)
    return Ready(
        root,
        (
            *_first_spec(root),
            _line_in(root, ".gitattributes", JOURNAL_MERGE),
            *(_line_in(root, ".gitignore", line) for line in IGNORED),
            _settings(root),
        ),
    )


def _first_spec(root: Path) -> list[InitStep]:
    """A spec, and the lockfiles of the environment that it names."""
    workspace = Workspace(root)
    workspace.experiments.mkdir(exist_ok=True)
    if any(workspace.experiments.glob("*.yaml")):
        return [InitStep("experiments/", "has specs already")]
    (workspace.experiments / "first.yaml").write_text(FIRST_SPEC, encoding="utf-8")
    added = add_lockfiles(DEFAULT, workspace.lockfiles)
    return [
        InitStep("experiments/first.yaml", "written; edit it"),
        *(InitStep(f"lockfiles/{path.name}", "written") for path in added),
    ]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8") if path.exists() else ""
    except UnicodeDecodeError as error:
        raise LedgerError(f"{path} is not UTF-8", hint="convert it first, for instance with iconv") from error


def _line_in(root: Path, name: str, line: str) -> InitStep:
    path = root / name
    text = _text(path)
    if line in text.splitlines():
        return InitStep(name, f"has {line!r} already")
    separator = "" if text.endswith("\n") or not text else "\n"
    path.write_text(f"{text}{separator}{line}\n", encoding="utf-8")
    return InitStep(name, f"added {line!r}")


def _settings(root: Path) -> InitStep:
    path = root / "pyproject.toml"
    text = _text(path)
    if any(line.startswith("[tool.ledger") for line in text.splitlines()):
        return InitStep("pyproject.toml", "has [tool.ledger] already")
    path.write_text(text + SETTINGS if text else SETTINGS.lstrip(), encoding="utf-8")
    return InitStep("pyproject.toml", "added [tool.ledger]")
