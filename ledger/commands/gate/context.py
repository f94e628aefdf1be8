"""What every check of the gate reads: the work tree, the base, and the journal of both. Judges nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from ledger.commands.reporter import Reporter
from ledger.errors import LedgerError
from ledger.evidence import Unobserved
from ledger.findings import Finding, Report
from ledger.git.history import Base, GitHistory
from ledger.git.pushes import Push
from ledger.journal.run import Run
from ledger.journal.runs import read_runs
from ledger.journal.store import Entry, Journal, open_journal, parse_sound
from ledger.utils.regular_file import MOST_SETTINGS, read_regular
from ledger.workspace import Workspace

SPECS, LOCKFILES = ".yaml", (".txt", ".toml", ".lock")
HERE = "the work tree"


@dataclass(frozen=True, slots=True)
class GateTable:
    """A table that a check shows with its findings; every row has a cell for each heading."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of one check. `about` says in one line what was checked."""

    name: str
    about: str
    report: Report
    tables: tuple[GateTable, ...] = ()

    @property
    def status(self) -> str:
        """`fail` on an unaccepted error, `skip` if something could not be checked, else `pass`."""
        if self.report.failing:
            return "fail"
        return "skip" if self.report.skips else "pass"


@dataclass(frozen=True)
class GateContext:
    """The input of one gate run. `before` is a copy of the base's specs and lockfiles.

    `is_push`: the base is the commit before a push to the default branch.
    """

    workspace: Workspace
    history: GitHistory
    base: Base
    reporter: Reporter
    rehearse: bool
    before: Workspace
    is_push: bool = False

    @cached_property
    def journal(self) -> Journal:
        """The journal of real runs, the one that is committed."""
        return open_journal(self.workspace, "real")

    @cached_property
    def past(self) -> bytes:
        """The base's journal; empty if it has none."""
        return self.history.file(self.base, self.workspace.journal)

    @cached_property
    def entries(self) -> list[Entry]:
        """The journal's entries. Raises LedgerError if a line is not an entry."""
        return self.journal.entries()

    @cached_property
    def runs(self) -> list[Run]:
        """The finished runs of the journal, oldest first."""
        return [run for run in read_runs(self.entries) if run.status == "finished"]

    @cached_property
    def known(self) -> frozenset[str]:
        """The ids of the runs that were finished in the base."""
        ended = {str(entry.body["run"]): entry.id for entry in self.entries if entry.kind == "run.finished"}
        return frozenset(run.id for run in self.runs if ended[run.id] in self.past_ids)

    @cached_property
    def past_ids(self) -> frozenset[str]:
        """The ids of the base's entries."""
        return frozenset(entry.id for entry in parse_sound(self.past))

    @cached_property
    def by_id(self) -> dict[str, Run]:
        """The finished runs by their ids."""
        return {run.id: run for run in self.runs}

    @cached_property
    def new_runs(self) -> list[Run]:
        """The finished runs that the base does not have."""
        return [run for run in self.runs if run.id not in self.known]

    @cached_property
    def changed(self) -> list[Path]:
        """The specs and lockfiles that differ from the base's, including deleted ones."""
        folders = [self.workspace.experiments, self.workspace.lockfiles]
        patterns = [f"*{suffix}" for suffix in LOCKFILES]
        paths = map(Path, self.history.changed(self.base, folders, patterns))
        own = [path.relative_to(self.workspace.root) for path in folders]
        return [
            path
            for path in paths
            if path.suffix in (SPECS, *LOCKFILES)
            and (any(path.is_relative_to(folder) for folder in own) or path.as_posix() in self._specs)
        ]

    def place(self, finding: Finding) -> tuple[str, int]:
        """The file and line that a finding is about; the journal if it names none."""
        facts = finding.evidence
        if "file" in facts:
            return str(facts["file"]), int(facts.get("line") or 1)
        spec = self.workspace.experiments / f"{facts.get('experiment')}{SPECS}"
        journal = self.workspace.journal.relative_to(self.workspace.root).as_posix()
        lines = facts.get("lines") or [facts.get("line")]
        run = str(facts.get("run") or "").rpartition(" ")[2]  # also `CHECKPOINT of RUN`
        if run and not finding.code.startswith("JRN"):
            return journal, self._line_of(run)
        if "experiment" in facts and spec.is_file():
            return spec.relative_to(self.workspace.root).as_posix(), 1
        return journal, int(lines[0] or 1)

    def _line_of(self, run: str) -> int:
        """The line of the run's last entry in the journal; 1 if it has none."""
        numbers = (n for n, entry in enumerate(self.entries, 1) if entry.body.get("run") == run)
        return max(numbers, default=1)

    @cached_property
    def _specs(self) -> str:
        """The text of all specs: a lockfile elsewhere counts if a spec names its path."""
        files = sorted(self.workspace.experiments.rglob(f"*{SPECS}"))
        return "\n".join(
            read_regular(path, MOST_SETTINGS).decode(errors="replace") for path in files if path.is_file()
        )


@contextmanager
def open_context(
    workspace: Workspace, ref: str | None, reporter: Reporter, *, rehearse: bool, push: Push | None = None
) -> Iterator[GateContext]:
    """The context, with the base's specs and lockfiles in a folder that is deleted afterwards.

    The base is `ref`, else the commit before `push`, else the default branch. Raises UsageError or
    LedgerError if it is not available.
    """
    history = GitHistory(workspace.root)
    pushed = history.before_push(push) if push and ref is None else None
    base = pushed or history.base(ref)
    with TemporaryDirectory(prefix="ledger-gate-") as folder:
        before = Workspace(Path(folder).resolve())
        context = GateContext(workspace, history, base, reporter, rehearse, before, pushed is not None)
        if context.changed:
            folders = [workspace.experiments, workspace.lockfiles]
            history.export(base, folders, (SPECS, *LOCKFILES), before.root)
        yield context


def unreadable(context: GateContext) -> Unobserved | None:
    """Why the journal's runs cannot be read; None if they can."""
    try:
        _ = context.runs
    except LedgerError as error:
        return Unobserved(f"the journal cannot be read: {error.message}")
    return None
