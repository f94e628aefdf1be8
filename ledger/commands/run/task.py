"""What differs between the tasks that an experiment can have, and what every run of a task has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from ledger.commands.reporter import Reporter
from ledger.commands.run.plan import InputsT, Plan, RunRequest, SpecT
from ledger.commands.run.recorder import Mode, Recorder
from ledger.evidence.preflight import DiskNeed
from ledger.findings import Json, Report
from ledger.workspace import Workspace
from runners.host.worker_process import Worker


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The outcome of a run. `run` is None when preflight refused and nothing was recorded.

    `recorded` is the body of the journal's last entry.
    """

    experiment: str
    mode: Mode
    report: Report
    run: str | None = None
    output: Path | None = None
    seconds: float = 0.0
    recorded: Mapping[str, Json] = field(default_factory=dict)


JobT = TypeVar("JobT")
OutcomeT = TypeVar("OutcomeT", bound=Outcome)


@dataclass(frozen=True, slots=True)
class ActiveRun(Generic[SpecT, InputsT]):
    """A run whose worker is started and whose folder is locked."""

    plan: Plan[SpecT, InputsT]
    recorder: Recorder
    worker: Worker
    reporter: Reporter


def nothing_to_inspect(*_: Any) -> Report:
    """A step of preflight that a task does not have."""
    return Report()


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Generic[SpecT, InputsT, JobT, OutcomeT]):
    """One kind of experiment, as functions that are called in this order.

    `read` gives the inputs; it raises LedgerError where a file is missing or malformed. `disk_need` says what
    a run writes, or its rehearsal. `inspect_plan` is the preflight that only this task has. `make_job` may
    write small files into the run's folder. `inspect_languages` is PRE002, with the tokenizer of the job.
    `execute` does the job, then guards and records the result; it is given the report of the preflight.
    """

    read: Callable[[SpecT, Workspace, RunRequest, Reporter], InputsT]
    disk_need: Callable[[SpecT, bool], DiskNeed]
    inspect_plan: Callable[[Plan[SpecT, InputsT]], Report] = nothing_to_inspect
    make_job: Callable[[ActiveRun[SpecT, InputsT]], JobT]
    inspect_languages: Callable[[ActiveRun[SpecT, InputsT], JobT], Report] = nothing_to_inspect
    execute: Callable[[ActiveRun[SpecT, InputsT], JobT, Report], OutcomeT]
    outcome: type[OutcomeT]
