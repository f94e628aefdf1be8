"""Which runs need attention: the facts that the rules of `ledger.report.attention` need, from the record."""

from collections.abc import Iterator, Sequence

from ledger.commands.ps import state_of
from ledger.environments.diff.from_journal import Facts, side_of_run
from ledger.environments.diff.ranking import suspects
from ledger.findings import Verdict
from ledger.journal.run import Run
from ledger.report.attention import first_with_output, needs_attention
from ledger.report.page import Attention, RunChange, Unfinished
from ledger.workspace import Workspace

STALLED_AFTER = 600.0  # seconds, as the default of `ledger ps`


class AttentionFinder:
    """Finds the reasons to look at a run. `runs` are all of the record, oldest first."""

    def __init__(self, workspace: Workspace, runs: Sequence[Run], facts: Facts) -> None:
        self._workspace, self._facts = workspace, facts
        self._first = first_with_output(runs)
        self._before: dict[str, Run] = {}
        latest: dict[tuple[str, str], Run] = {}
        good: dict[tuple[str, str], Run] = {}
        for run in runs:
            key = run.experiment, run.mode
            if before := good.get(key) or latest.get(key):
                self._before[run.id] = before
            latest[key] = run
            if run.verdict is Verdict.PASS:
                good[key] = run

    def of(self, run: Run) -> Iterator[Attention]:
        """The reasons to look at this run, the most urgent first."""
        return needs_attention(
            run, first_with_output=self._first, drift=self.drift(run), unfinished=self.unfinished(run)
        )

    def drift(self, run: Run) -> RunChange | None:
        """What changed since the last run of its experiment and mode that passed, or else the last one."""
        before = self._before.get(run.id)
        return what_changed(before, run, self._facts) if before else None

    def unfinished(self, run: Run) -> Unfinished | None:
        """The state of a run that is running or was interrupted."""
        if run.status not in ("running", "interrupted"):
            return None
        state, silent = state_of(self._workspace, run, STALLED_AFTER)
        return Unfinished(state, None if silent is None else silent / 60)


def what_changed(before: Run, after: Run, facts: Facts) -> RunChange | None:
    """The differences of environment and settings between two runs; None if there are none."""
    if (before.environment, before.machine, before.spec_digest, before.effective) == (
        after.environment,
        after.machine,
        after.spec_digest,
        after.effective,
    ):
        return None
    found = tuple(suspects(side_of_run(before, facts), side_of_run(after, facts)))
    return RunChange(before.id, after.id, found) if found else None
