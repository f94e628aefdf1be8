"""What runs of every task share: the request, the plan, what is recorded at the start, how one breaks off."""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from ledger.commands.env import DRIFT, choose, named
from ledger.commands.reporter import Reporter
from ledger.commands.run import preflight
from ledger.commands.run.recorder import Mode, Recorder, git_facts
from ledger.environments.environment import Environment
from ledger.errors import LedgerError, RunFailedError, UsageError
from ledger.evidence.identity import History, RunIdentity
from ledger.evidence.preflight import DiskNeed, ModelUse
from ledger.findings import Json, Report
from ledger.git import status
from ledger.journal.run import Run
from ledger.journal.runs import load_runs
from ledger.specs.experiment import ExperimentSpec
from ledger.workspace import Workspace
from runners.environments.inspection import capture

AGAIN = "PRE001"


class Asked(Protocol):
    """What goes into a run of any task."""

    @property
    def data(self) -> Mapping[str, Json]:
        """By role, such as `source`; None where the role has no file."""
        ...

    @property
    def digest(self) -> str:
        """Equal for two runs that ask the same question."""
        ...


SpecT = TypeVar("SpecT", bound=ExperimentSpec)
InputsT = TypeVar("InputsT", bound=Asked)


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What the user typed. `allow` holds the codes of preflight refusals that this one run may pass."""

    experiment: str
    rehearse: bool = False
    resume: bool = False
    overrides: tuple[str, ...] = ()
    allow: frozenset[str] = frozenset()

    @property
    def mode(self) -> Mode:
        """Which journal the run belongs to."""
        return "rehearsal" if self.rehearse else "real"


@dataclass(frozen=True, slots=True)
class Plan(Generic[SpecT, InputsT]):
    """Everything that is settled before a worker starts. `python` runs it; `environment` is what that has."""

    request: RunRequest
    spec: SpecT
    workspace: Workspace
    environment: Environment
    inputs: InputsT
    runs: tuple[Run, ...]
    python: Path = Path(sys.executable)

    @property
    def history(self) -> History:
        """The finished runs of the same mode: a rehearsal is only held against rehearsals."""
        return History(tuple(run.identity() for run in self.runs if run.status == "finished"))

    def identity(self, run: str = "", output: dict[str, str] | None = None) -> RunIdentity:
        """This run as duplicates are looked for."""
        return RunIdentity(
            run=run,
            experiment=self.spec.name,
            inputs=self.inputs.digest,
            spec=self.spec.digested(),
            environment=self.environment.digest,
            output=output or {},
        )


def make_plan(
    workspace: Workspace, request: RunRequest, spec: SpecT, inputs: InputsT
) -> Plan[SpecT, InputsT]:
    """Look at this interpreter and the record. Raises LedgerError where either cannot be read."""
    return Plan(
        request=request,
        spec=spec,
        workspace=workspace,
        environment=capture(Path(sys.executable), named(spec.environment, workspace)),
        inputs=inputs,
        runs=tuple(run for run in load_runs(workspace) if run.mode == request.mode),
    )


def resolve_environment(
    plan: Plan[SpecT, InputsT], need: DiskNeed, model: str, task: str, voice: Reporter
) -> tuple[Plan[SpecT, InputsT], Report]:
    """Preflight, and the plan with the interpreter to run with. `need` is what the run will write.

    Nothing is built for a run that is refused for another reason than its packages. Raises LedgerError where
    the environment cannot be built.
    """
    before = _inspect_before(plan, need, model, task)
    if before.failing != {DRIFT}:
        return plan, before
    choice = choose(named(plan.spec.environment, plan.workspace), plan.request.allow, voice)
    settled = replace(plan, environment=choice.environment, python=choice.python)
    after = _inspect_before(settled, need, model, task)
    passed = tuple(code for code in after.passed if code not in choice.report.failing)
    return settled, choice.report + replace(after, passed=passed)


def _inspect_before(plan: Plan[SpecT, InputsT], need: DiskNeed, model: str, task: str) -> Report:
    """Preflight, with the refusals that the request passes marked as such.

    A resumed run was let through when it began, a repetition too.
    """
    report = preflight.inspect_surroundings(
        plan.workspace,
        clean=plan.spec.clean,
        identity=plan.identity(),
        history=plan.history,
        environment=plan.environment,
        need=need,
        model=ModelUse(task, model),
    )
    passes = plan.request.allow | ({AGAIN} if plan.request.resume else frozenset())
    return preflight.allow(report, passes)


def resumable(plan: Plan[SpecT, InputsT]) -> str:
    """The run that `--resume` goes on with. Raises when there is none, or it was about something else."""
    broken = [
        run
        for run in plan.runs
        if run.experiment == plan.spec.name and run.status in ("interrupted", "failed", "running")
    ]
    if not broken:
        raise UsageError(f"{plan.spec.name} has no interrupted run to resume", hint="leave --resume away")
    last = broken[-1]
    for key, now, what in (
        ("inputs", plan.inputs.digest, "spec or data"),
        ("environment", plan.environment.digest, "environment"),
    ):
        if last.started.get(key) != now:
            raise LedgerError(
                f"{last.id} cannot be resumed: the {what} changed since it was started",
                hint=f"start anew without --resume, or put the {what} back; see: ledger show {last.id}",
            )
    return last.id


@contextmanager
def nothing_left_of_a_new_run(plan: Plan[SpecT, InputsT], recorder: Recorder) -> Iterator[None]:
    """What fails before the run is on the record cannot be resumed, so its folder goes."""
    try:
        yield
    except BaseException:
        discard_a_new_run(plan, recorder)
        raise


def discard_a_new_run(plan: Plan[SpecT, InputsT], recorder: Recorder) -> None:
    """Remove the run's folder, unless an earlier try left something in it."""
    if not plan.request.resume:
        recorder.discard()


@contextmanager
def failures_recorded(recorder: Recorder, voice: Reporter) -> Iterator[None]:
    """What ends the run early is on the record, or, for an interrupt, told how to go on from."""
    begun = time.monotonic()
    try:
        yield
    except (LedgerError, OSError) as error:
        report = error.report if isinstance(error, RunFailedError) else None
        recorder.failed(str(error).splitlines()[0], time.monotonic() - begun, report)
        raise
    except KeyboardInterrupt:
        voice.say(f"{recorder.run} is interrupted; go on with: ledger run {recorder.experiment} --resume")
        raise


def started(plan: Plan[SpecT, InputsT], before: Report) -> dict[str, Json]:
    """What the journal is told when the run begins."""
    return {
        "title": plan.spec.title,
        "inputs": plan.inputs.digest,
        "spec_digest": plan.spec.digest,
        "spec": plan.spec.digested(),
        "overrides": list(plan.request.overrides),
        "data": dict(plan.inputs.data),
        "environment": plan.environment.digest,
        "machine": plan.environment.machine_digest,
        "git": git_facts(status.read(plan.workspace.root, ignore=[plan.workspace.journal])),
        "command": None,
        "preflight": before.to_json(),
        "resumed": plan.request.resume,
    }
