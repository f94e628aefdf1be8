"""What runs of every task share: the request, the plan, the start of the record, and failures."""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from ledger.checkpoints.levels import Level
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
from ledger.outputs import check_kept
from ledger.specs import ForecastingSpec, GenerationSpec, TrainingSpec
from ledger.workspace import Workspace
from runners.environments.inspection import capture

AGAIN = "PRE001"


class Inputs(Protocol):
    """The inputs of a run of any task."""

    @property
    def data(self) -> Mapping[str, Json]:
        """By role, such as `source`; None where the role has no file."""
        ...

    @property
    def digest(self) -> str:
        """Equal for two runs with the same spec and data."""
        ...


SpecT = TypeVar("SpecT", GenerationSpec, TrainingSpec, ForecastingSpec)
InputsT = TypeVar("InputsT", bound=Inputs)


@dataclass(frozen=True, slots=True)
class RunRequest:
    """The user's request. `allow` holds the codes of preflight refusals that this one run may pass.

    `level`: what the verdict on a checkpoint must rest on for the run to resume from it. `redo`: generate the
    lines again that these guards flagged in the newest run; none named: all guards.
    """

    experiment: str
    rehearse: bool = False
    resume: bool = False
    overrides: tuple[str, ...] = ()
    allow: frozenset[str] = frozenset()
    level: Level | None = None
    redo: tuple[str, ...] | None = None

    @property
    def mode(self) -> Mode:
        """Which journal the run belongs to."""
        return "rehearsal" if self.rehearse else "real"


@dataclass(frozen=True, slots=True)
class Plan(Generic[SpecT, InputsT]):
    """Everything known before a worker starts. `python` runs the worker; `environment` is its environment."""

    request: RunRequest
    spec: SpecT
    workspace: Workspace
    environment: Environment
    inputs: InputsT
    runs: tuple[Run, ...]
    python: Path = Path(sys.executable)

    @property
    def history(self) -> History:
        """The finished runs of the same mode: a rehearsal is compared with rehearsals only."""
        return History(tuple(run.identity() for run in self.runs if run.status == "finished"))

    def identity(self, run: str = "", output: dict[str, str] | None = None) -> RunIdentity:
        """This run, as the search for duplicates reads it."""
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
    """Read this interpreter's environment and the record.

    Raises LedgerError where either cannot be read, UsageError for an output that would replace a kept file.
    """
    check_kept(workspace.root / spec.output)
    return Plan(
        request=request,
        spec=spec,
        workspace=workspace,
        environment=capture(Path(sys.executable), named(spec.environment, workspace)),
        inputs=inputs,
        runs=tuple(run for run in load_runs(workspace) if run.mode == request.mode),
    )


def resolve_environment(
    plan: Plan[SpecT, InputsT], need: DiskNeed, reporter: Reporter
) -> tuple[Plan[SpecT, InputsT], Report]:
    """Preflight, and the plan with the interpreter to run. `need` is what the run will write.

    No environment is built for a run that is refused for other reasons than its packages. Raises LedgerError
    where the environment cannot be built.
    """
    if sentence := unfinished(plan):
        reporter.say(sentence)
    before = _inspect_before(plan, need)
    if before.failing != {DRIFT}:
        return plan, before
    choice = choose(named(plan.spec.environment, plan.workspace), plan.request.allow, reporter)
    resolved = replace(plan, environment=choice.environment, python=choice.python)
    after = _inspect_before(resolved, need)
    passed = tuple(code for code in after.passed if code not in choice.report.failing)
    return resolved, choice.report + replace(after, passed=passed)


def _inspect_before(plan: Plan[SpecT, InputsT], need: DiskNeed) -> Report:
    """Preflight, with the refusals that the request allows marked as accepted.

    A resumed run may repeat an experiment: that was allowed when it began.
    """
    report = preflight.inspect_surroundings(
        plan.workspace,
        clean=plan.spec.clean,
        identity=plan.identity(),
        history=plan.history,
        environment=plan.environment,
        need=need,
        model=ModelUse(plan.spec.task, plan.spec.model.name or ""),
    )
    allowed = plan.request.allow | ({AGAIN} if plan.request.resume else frozenset())
    return preflight.allow(report, allowed)


def resumable(plan: Plan[SpecT, InputsT]) -> str:
    """The run that `--resume` continues. Raises LedgerError where there is none or its inputs changed."""
    unfinished = [
        run
        for run in plan.runs
        if run.experiment == plan.spec.name and run.status in ("interrupted", "failed", "running")
    ]
    if not unfinished:
        raise UsageError(f"{plan.spec.name} has no interrupted run to resume", hint="run it without --resume")
    last = unfinished[-1]
    for key, now, what in (
        ("inputs", plan.inputs.digest, "spec or data"),
        ("environment", plan.environment.digest, "environment"),
    ):
        if last.started.get(key) != now:
            raise LedgerError(
                f"{last.id} cannot be resumed: the {what} changed since it was started",
                hint=f"start a new run without --resume, or restore the {what}; see: ledger show {last.id}",
            )
    return last.id


def unfinished(plan: Plan[SpecT, InputsT]) -> str:
    """A sentence on the experiment's latest run if it was interrupted or failed; empty otherwise."""
    own = [run for run in plan.runs if run.experiment == plan.spec.name]
    if not own or own[-1].status not in ("interrupted", "failed") or plan.request.resume:
        return ""
    last = own[-1]
    how = "was interrupted" if last.status == "interrupted" else "failed"
    if last.started.get("inputs") != plan.inputs.digest:
        return f"{last.id} {how}; this is another run, since the spec or the data changed"
    option = " --rehearse" if plan.request.rehearse else ""
    resume = f"ledger run {plan.spec.name}{option} --resume"
    return f"{last.id} {how}; this is a new run. To continue that one instead: {resume}"


@contextmanager
def discarded_on_failure(plan: Plan[SpecT, InputsT], recorder: Recorder) -> Iterator[None]:
    """Remove the folder of a run that fails before it is recorded: it could not be resumed."""
    try:
        yield
    except BaseException:
        discard_new_run(plan, recorder)
        raise


def discard_new_run(plan: Plan[SpecT, InputsT], recorder: Recorder) -> None:
    """Remove the run's folder, unless the run is resumed and already has results in it."""
    if not plan.request.resume:
        recorder.discard()


@contextmanager
def failures_recorded(recorder: Recorder, reporter: Reporter) -> Iterator[None]:
    """Record an error that ends the run early; for an interrupt, say how to resume."""
    began = time.monotonic()
    try:
        yield
    except (LedgerError, OSError) as error:
        report = error.report if isinstance(error, RunFailedError) else None
        recorder.failed(str(error).splitlines()[0], time.monotonic() - began, report)
        raise
    except KeyboardInterrupt:
        reporter.say(
            f"{recorder.run} was interrupted; resume it with: ledger run {recorder.experiment} --resume"
        )
        raise


def started(plan: Plan[SpecT, InputsT], before: Report) -> dict[str, Json]:
    """The body of the journal's `run.started` entry."""
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
