"""Follows a training run: records its metrics, verifies its checkpoints, and stops it if asked to.

Where the events come from is a `TrainingSource`: our own worker, or a command with our hooks inside. Other
threads only enqueue work; a single thread writes to the record and the terminal. The verification modules are
imported lazily, because most commands do no training.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice, zip_longest
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol

from ledger.commands.run.checkpoint import Checkpoint, describe, to_checkpoint
from ledger.commands.run.recorder import Recorder
from ledger.commands.run.training_health import HealthWatch
from ledger.display.progress import Progress
from ledger.environments.environment import Environment
from ledger.errors import LedgerError
from ledger.evidence.training import EvaluationPoint, TrainingLimits, TrainingPoint, TrainingSeries
from ledger.findings import Severity, Verdict
from ledger.journal.runs import find, load_runs
from runners.environments.inspection import capture
from runners.host.attachment import AttachedEvent
from runners.host.training import TrainingEvent
from runners.worker.messages import FamilyMeasurement, SavedCheckpoint, Unverified

if TYPE_CHECKING:
    from ledger.commands.verify.background import BackgroundVerifier, CheckpointVerification
    from ledger.commands.verify.values import VerificationContext
    from runners.host.verification import ReloadOptions

OVERWRITTEN = "it was overwritten by a later save before it could be verified"
LIVE_LINES = 4  # of a checkpoint's sample, for those who watch
SERIES = ("loss", "grad_norm", "learning_rate", "amp_scale")


@dataclass(frozen=True, slots=True)
class Ended:
    """The training process has exited and all of its events have been posted."""


Event = TrainingEvent | AttachedEvent | Ended | Exception


class TrainingSource(Protocol):
    """Something that trains: it reports events and stops on request.

    `survives_interrupt`: the process handles Ctrl-C itself, and is followed until it exits. `is_filtered`:
    its losses may have passed through the Trainer's NaN filter (`logging_nan_inf_filter`).
    """

    @property
    def survives_interrupt(self) -> bool:
        """See the class."""
        ...

    @property
    def is_filtered(self) -> bool:
        """See the class."""
        ...

    def reporting(self, post: Callable[[Event], None]) -> AbstractContextManager[None]:
        """Post events from a thread until the context is left; `Ended` is the last one."""
        ...

    def handle(self, event: TrainingEvent | AttachedEvent | Ended) -> None:
        """Handle `Ended`, or an event specific to this source."""
        ...

    def stop(self) -> bool:
        """Ask the training to stop after the current step; False if there is none to stop."""
        ...


@dataclass(frozen=True, slots=True)
class _Pending:
    """A checkpoint that is being verified; `changed()` says whether it has since been overwritten."""

    saved: SavedCheckpoint
    context: "VerificationContext"
    changed: Callable[[], bool]


class CheckpointMonitor:
    """Follows one source until its process has ended and all its checkpoints are verified.

    Afterwards `points` is the series, `evaluations` the evaluations, `families` the measurements of a family
    of metrics (oldest first), `checkpoints` the verified checkpoints, and `unverified` what was not verified
    and why. `interrupted` is true if the remaining verifications were abandoned.
    """

    def __init__(
        self,
        recorder: Recorder,
        say: Callable[[str], None],
        environments: Mapping[Path, Environment],
        *,
        stop_on_fail: bool,
        limits: TrainingLimits | None = None,
        options: "ReloadOptions | None" = None,
        tell: Callable[[Sequence[str]], None] | None = None,
    ) -> None:
        self.points: list[TrainingPoint] = []
        self.evaluations: list[EvaluationPoint] = []
        self.families: list[FamilyMeasurement] = []
        self.checkpoints: list[Checkpoint] = []
        self.unverified: list[Unverified] = []
        self.interrupted = False
        self.say = say
        self._tell = tell or self._say_each
        self.limits = limits or TrainingLimits()
        self._health = HealthWatch(self.limits)
        self._recorder, self._environments = recorder, environments
        self._stop_on_fail, self._options = stop_on_fail, options
        self._queue: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._open = ExitStack()
        self._verifiers: dict[Path, tuple[BackgroundVerifier, VerificationContext]] = {}
        self._pending: list[_Pending] = []
        self._newest_passed: dict[Path, SavedCheckpoint] = {}  # by folder of snapshots
        self._ended = False
        self._source: TrainingSource  # set by `run`

    def run(self, source: TrainingSource) -> None:
        """Follow the source to its end. Re-raises unexpected errors from its thread or a verification."""

        def post(event: Event) -> None:
            self._queue.put(partial(self._handle, event))

        self._source = source
        with self._open, source.reporting(post):
            while not self._ended or (self._pending and not self.interrupted):
                try:
                    self._queue.get()()
                except KeyboardInterrupt:
                    if not source.survives_interrupt:
                        raise
                    self.interrupted = self._ended

    def prepare(self, python: Path) -> bool:
        """Start a reload worker for this Python; False if its environment cannot be inspected."""
        if python in self._verifiers:
            return True
        from ledger.commands.verify.background import BackgroundVerifier
        from ledger.commands.verify.values import VerificationContext

        environment = self._environments.get(python)
        if environment is None:
            try:
                environment = capture(python)
            except LedgerError as error:
                self.note_unverified(Unverified(error.message))
                return False
            self._recorder.environment(environment)
        workspace = self._recorder.workspace
        runs = tuple(load_runs(workspace))
        run = find(runs, self._recorder.run)
        context = VerificationContext(workspace, environment, runs=runs, run=run, health=None)
        context = replace(context, options=self._options or context.options)
        log = self._recorder.folder / "verify.log"
        verifier = BackgroundVerifier(python, log, context, self._on_verified)
        self._verifiers[python] = self._open.enter_context(verifier), context
        return True

    def verify(
        self, saved: SavedCheckpoint, python: Path, changed: Callable[[], bool] = lambda: False
    ) -> None:
        """Queue this checkpoint for verification with this Python."""
        if not self.prepare(python):
            saved.drop_snapshot()
            return
        verifier, context = self._verifiers[python]
        self._pending.append(_Pending(saved, context, changed))
        verifier.submit(saved)

    def note_unverified(self, unverified: Unverified) -> None:
        """Report and remember what was not verified; duplicates are ignored."""
        if unverified in self.unverified:
            return
        self.unverified.append(unverified)
        what = f"{unverified.folder.name:<18} not verified: " if unverified.folder else ""
        self.say(f"{what}{unverified.reason}")

    @property
    def pending(self) -> list[Path]:
        """The folders of the checkpoints that are not verified yet."""
        return [one.saved.folder for one in self._pending]

    @property
    def accounted_for(self) -> set[Path]:
        """The folders of the checkpoints that are verified, being verified, or known to be unverifiable."""
        known = {one.folder for one in self.checkpoints} | set(self.pending)
        return known | {one.folder for one in self.unverified if one.folder}

    def _on_verified(self, done: "CheckpointVerification | Exception") -> None:
        def handle() -> None:
            if isinstance(done, Exception):
                raise done
            self._judge(done)

        self._queue.put(handle)

    def _handle(self, event: Event) -> None:
        match event:
            case TrainingPoint():
                self.points.append(event)
                for name in SERIES:
                    self._recorder.metric(name, getattr(event, name), event.step)
                loss = "" if event.loss is None else f"loss {event.loss:.4g}"
                self._recorder.live.update({"step": event.step, "detail": loss})
                self._check_health()
            case EvaluationPoint():
                self.evaluations.append(event)
                for name, value in event.metrics.items():
                    self._recorder.metric(name, value, event.step)
                self._check_health()
            case FamilyMeasurement():
                self._record_family(event)
            case Ended():
                self._ended = True
                self._source.handle(event)
            case Exception():
                raise event
            case _:
                self._source.handle(event)

    def _check_health(self) -> None:
        """Report new findings from the log immediately; with on_fail stop, an error stops the training."""
        series = TrainingSeries(
            tuple(self.points), filtered=self._source.is_filtered, evaluations=tuple(self.evaluations)
        )
        for finding in self._health.new_findings(series):
            self.say(f"{finding.severity.label}: {finding.code} {finding.message}")
            if finding.severity >= Severity.ERROR:
                self._stop_training()

    def _record_family(self, measured: FamilyMeasurement) -> None:
        self.families.append(measured)
        for name, value in measured.values.items():
            self._recorder.metric(f"{measured.name}_{name}", value, measured.step)
        members = "  ".join(f"{name} {value:+.4f}" for name, value in measured.values.items())
        self.say(f"{measured.name} at step {measured.step:,}: {members}")

    def _judge(self, done: "CheckpointVerification") -> None:
        from ledger.commands.verify.background import record_checkpoint

        saved = done.saved
        # By identity: without hard links, two saves into one folder compare equal.
        pending = next(one for one in self._pending if one.saved is saved)
        self._pending = [one for one in self._pending if one is not pending]
        if to_checkpoint(done).verdict is not Verdict.PASS and pending.changed():
            self.note_unverified(Unverified(OVERWRITTEN, saved.step, saved.folder))
            saved.drop_snapshot()
            return
        checkpoint = to_checkpoint(record_checkpoint(pending.context, done, self.say))
        self.checkpoints.append(checkpoint)
        for name, score in (("memory", checkpoint.memory), ("reloaded", checkpoint.reloaded)):
            self._recorder.metric(f"sample_bleu_{name}", score.value if score else None, checkpoint.step)
        self._tell(describe(checkpoint))
        self._show_live()
        if checkpoint.verdict is Verdict.FAIL:
            self._stop_training()
        self._drop_older(saved, passed=checkpoint.marked)

    def note_progress(self, progress: Progress) -> Progress:
        """Write the progress where others can follow it; returns it with the last loss."""
        last = next(reversed(self.points), None)
        detail = f"loss {last.loss:.4g}" if last and last.loss is not None else ""
        facts = {name: getattr(progress, name) for name in ("stage", "done", "total", "rate")}
        self._recorder.live.update({**facts, "detail": detail})
        return replace(progress, detail=detail)

    def _show_live(self) -> None:
        """Write the checkpoints so far, and a few lines of the newest, where others can follow them."""
        newest = self.checkpoints[-1].sample
        rows = [{**one.to_json(self._recorder), "told": describe(one)} for one in self.checkpoints]
        samples = (
            [
                {"source": source, "output": output, "reference": reference}
                for source, output, reference in islice(
                    zip_longest(newest.source, newest.output, newest.reference, fillvalue=""), LIVE_LINES
                )
            ]
            if newest
            else []
        )
        self._recorder.live.update({"checkpoints": rows, "samples": samples}, at_once=True)

    def _say_each(self, lines: Sequence[str]) -> None:
        for line in lines:
            self.say(line)

    def _stop_training(self) -> None:
        """Stop it, once, where on_fail is stop."""
        if self._stop_on_fail and not self._ended and self._source.stop():
            self._stop_on_fail = False
            self.say("on_fail is stop: training ends after the current step")

    def _drop_older(self, saved: SavedCheckpoint, *, passed: bool) -> None:
        """Keep only the newest passing snapshot, to resume from and as the baseline for later scores."""
        obsolete: SavedCheckpoint | None = saved
        if passed:
            obsolete = self._newest_passed.get(saved.snapshot.parent)
            self._newest_passed[saved.snapshot.parent] = saved
        if obsolete is not None:
            obsolete.drop_snapshot()
