"""`ledger diff-env --bisect`: the group of packages that decides whether a checkpoint or a rehearsal passes.

A checkpoint saved under A is reloaded, or else the experiment is rehearsed: under A, under B, and under B
with one group of packages at a time reverted to A's versions.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ledger.checkpoints.folders import list_checkpoints
from ledger.commands.diff_env.defaults import lockfiles_behind
from ledger.commands.diff_env.sources import SideSource
from ledger.commands.reporter import Reporter
from ledger.commands.run.experiment import AGAIN, RunOutcome, RunRequest, TrainingOutcome, run_experiment
from ledger.commands.verify.values import VerifyRequest
from ledger.commands.verify.verify import prepare, verify_checkpoint
from ledger.environments.diff.package_groups import groups, mixed
from ledger.environments.lockfile import Lockfile, read
from ledger.environments.pin import Pin
from ledger.errors import LedgerError, UsageError
from ledger.evidence.environment import EnvironmentSide
from ledger.evidence.suspects import Kind, Suspect
from ledger.findings import Finding, Json, Report, Severity, Verdict
from ledger.utils.hashing import digest_bytes
from ledger.utils.plural import and_more
from ledger.workspace import Workspace
from runners.environments.build import default_cache, ensure, obtainable
from runners.environments.inspection import marker_values, requirements_of
from runners.host.worker_process import Worker

MOST_NAMED = 3

Judge = Callable[[Lockfile], Report]


@dataclass(frozen=True, slots=True)
class Case:
    """What to test: the checkpoint, if there is one, or a rehearsal of the experiment."""

    workspace: Workspace
    voice: Reporter
    experiment: str | None
    checkpoint: Path | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """One test of an environment and its result. `problem`: why it could not be tested."""

    installed: str
    packages: tuple[str, ...]
    verdict: Verdict | None
    findings: tuple[str, ...] = ()
    problem: str = ""

    def to_json(self) -> dict[str, Json]:
        """The trial as `--json` shows it."""
        return {
            "installed": self.installed,
            "packages": list(self.packages),
            "verdict": self.verdict and str(self.verdict),
            "findings": list(self.findings),
            "problem": self.problem,
        }


@dataclass(frozen=True, slots=True)
class Bisection:
    """The results under A, under B, and under B with each group reverted."""

    judged: str
    a: Trial
    b: Trial
    trials: tuple[Trial, ...]

    @property
    def deciding(self) -> tuple[Trial, ...]:
        """The groups whose reversion alone makes it pass."""
        return tuple(one for one in self.trials if one.verdict is Verdict.PASS)

    @property
    def answer(self) -> str:
        """The conclusion, in one sentence."""
        if self.a.verdict is not Verdict.PASS or self.b.verdict is not Verdict.FAIL:
            results = [str(one.verdict or one.problem) for one in (self.a, self.b)]
            return f"there is nothing to decide: {results[0]} under A, {results[1]} under B"
        if not self.deciding:
            unknown = [one for one in self.trials if one.verdict is not Verdict.FAIL]
            rest = f"; {len(unknown)} could not be tested" if unknown else ""
            return f"no group decides alone: it fails with {_each(self.trials, unknown)} reverted{rest}"
        named = " or ".join(_named(one.packages) for one in self.deciding)
        return f"decided by {named}: with A's versions, it passes under B"

    def to_json(self) -> dict[str, Json]:
        """The bisection as `--json` shows it."""
        return {
            "judged": self.judged,
            "a": self.a.to_json(),
            "b": self.b.to_json(),
            "trials": [one.to_json() for one in self.trials],
            "answer": self.answer,
        }


def _each(trials: Sequence[Trial], unknown: Sequence[Trial]) -> str:
    judged = len(trials) - len(unknown)
    return "each of them" if not unknown else f"{judged} of {len(trials)}"


def _named(packages: Sequence[str]) -> str:
    shown = and_more(packages, MOST_NAMED)
    return f"{shown} that can only change together with them" if len(packages) > MOST_NAMED else shown


def bisect_environments(case: Case, a: Lockfile, b: Lockfile, suspects: Sequence[Suspect]) -> Bisection:
    """Test under A, under B, and under B with each group reverted that contains a hard suspect.

    Raises LedgerError where A or B cannot be built.
    """
    case = _with_checkpoint(case, a)
    judge = partial(_judge, case)
    before, after = (_trial(judge, one, name, ()) for one, name in ((a, "all of A"), (b, "all of B")))
    trials: list[Trial] = []
    if before.verdict is Verdict.PASS and after.verdict is Verdict.FAIL:
        found = [one for one in suspects if one.kind is Kind.PACKAGE]
        trials = [
            # With all changes reverted, B is A, which is already tested.
            replace(before, installed=name, packages=packages)
            if lockfile is None
            else _trial(judge, lockfile, name, packages)
            for packages, lockfile in _lockfiles(case, a, b, found)
            for name in [f"B with {len(packages)} as in A"]
        ]
    judged = f"{case.checkpoint.name}, reloaded" if case.checkpoint else f"{case.experiment}, rehearsed"
    return Bisection(judged, before, after, tuple(trials))


def lockfile_of(case: Case, source: SideSource, side: EnvironmentSide) -> Lockfile:
    """The installable lockfile of a side. Raises LedgerError where no lockfile here pins its packages."""
    variants = lockfiles_behind(source, side, case.workspace)
    if not variants:
        raise LedgerError(
            f"--bisect needs a lockfile for {side.name}, and none here pins its packages",
            hint="name one; to get an older one: git show COMMIT:PATH > FILE.txt",
        )
    with case.voice.progress("steps") as tell:
        return obtainable(variants, default_cache(), tell)


def _with_checkpoint(case: Case, a: Lockfile) -> Case:
    """The case with a checkpoint saved under A, for a training; it is rehearsed where there is none yet."""
    if case.checkpoint is not None:
        return case
    if case.experiment is None:
        raise UsageError("--bisect needs an experiment to test", hint="name it with --experiment EXP")
    case.voice.say(f"rehearsing {case.experiment} under {a.path.name}")
    done = _rehearse(case, a)
    if not isinstance(done, TrainingOutcome):
        return case
    saved = list_checkpoints(done.output) if done.output else []
    if not saved:
        raise LedgerError(f"{case.experiment} saved nothing under {a.path.name}", hint="see: ledger log")
    return Case(case.workspace, case.voice, case.experiment, saved[-1])


def _rehearse(case: Case, lockfile: Lockfile) -> RunOutcome:
    request = RunRequest(
        case.experiment or "",
        rehearse=True,
        overrides=(f"environment={lockfile.path.absolute()}",),
        allow=frozenset({AGAIN}),
    )
    return run_experiment(case.workspace, request, case.voice)


def _judge(case: Case, lockfile: Lockfile) -> Report:
    if case.checkpoint is None:
        return _rehearse(case, lockfile).report
    with case.voice.progress("steps") as tell:
        python = ensure([lockfile], default_cache(), tell)
    # Not recorded: nobody works in this mixture, so it is not a verification of the checkpoint.
    setting = prepare(case.workspace, VerifyRequest((case.checkpoint,), interpreter=python))
    with Worker(python, case.workspace.private / "verify.log") as worker:
        return verify_checkpoint(worker, setting, case.checkpoint).report


def _trial(judge: Judge, lockfile: Lockfile, installed: str, packages: tuple[str, ...]) -> Trial:
    """One test. One that could not be run is reported as such, not as a failure."""
    try:
        report = judge(lockfile)
    except LedgerError as error:
        return Trial(installed, packages, None, problem=error.message)
    errors = tuple(dict.fromkeys(one.code for one in report.findings if _fails(one)))
    return Trial(installed, packages, report.verdict, errors)


def _fails(finding: Finding) -> bool:
    return finding.severity >= Severity.ERROR and finding.accepted is None


def _lockfiles(
    case: Case, a: Lockfile, b: Lockfile, suspects: Sequence[Suspect]
) -> Iterator[tuple[tuple[str, ...], Lockfile | None]]:
    """For each group with a hard suspect, B's pins with A's for the group; None where the result equals A."""
    pythons = [ensure([one], default_cache()) for one in (a, b)]
    requires = {key: lines for python in pythons for key, lines in requirements_of(python).items()}
    markers = marker_values()
    before, after = a.versions(markers), b.versions(markers)
    pins = {(pin.name, pin.version): pin for one in (b, a) for pin in one.applying(markers)}
    for group in groups(before, after, requires):
        versions = mixed(group, before, after)
        if any(one.hard and one.name in group for one in suspects):
            is_a = versions == before
            packages = tuple(one.name for one in suspects if one.name in group)
            yield packages, None if is_a else _write(case.workspace, versions, pins, a.options or b.options)


def _write(
    workspace: Workspace,
    versions: dict[str, str],
    pins: dict[tuple[str, str], Pin],
    options: tuple[str, ...],
) -> Lockfile:
    """Write a lockfile to `.ledger/lockfiles`, where the record of the test refers to it."""
    lines = [*options]
    for name, version in sorted(versions.items()):
        hashes = "".join(f" \\\n    --hash={one}" for one in pins[name, version].hashes)
        lines.append(f"{name}=={version}{hashes}")
    text = "".join(f"{line}\n" for line in lines)
    digest = digest_bytes(text.encode()).removeprefix("sha256:")[:12]
    path = workspace.private / "lockfiles" / f"mixed-{digest}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return read(path)
