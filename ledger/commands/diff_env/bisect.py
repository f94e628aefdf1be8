"""`ledger diff-env --bisect`: the group of packages that decides whether a checkpoint or a rehearsal passes.

A checkpoint saved under A is reloaded, or else the experiment is rehearsed: under A, under B, and under
mixtures of both, which delta debugging chooses. So packages that break something only together are found too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ledger.checkpoints.folders import list_checkpoints
from ledger.commands.diff_env.defaults import lockfiles_behind
from ledger.commands.diff_env.sources import SideSource
from ledger.commands.reporter import Reporter
from ledger.commands.run.experiment import AGAIN, RunOutcome, RunRequest, TrainingOutcome, run_experiment
from ledger.commands.verify.values import VerifyRequest
from ledger.commands.verify.verify import prepare, verify_checkpoint
from ledger.environments.diff.delta_debugging import minimal_cause
from ledger.environments.diff.package_groups import groups, mixed
from ledger.environments.lockfile import Lockfile, read
from ledger.environments.pin import Pin
from ledger.errors import LedgerError, UsageError
from ledger.evidence.environment import EnvironmentSide
from ledger.evidence.suspects import Kind, Suspect
from ledger.findings import Finding, Json, Report, Severity, Verdict
from ledger.utils.hashing import digest_bytes
from ledger.utils.plural import and_more, count
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
    """The results under A, under B, and under the mixtures.

    `cause`: the fewest groups of packages whose versions of B fail among A's others. `cured`: the test of B
    with A's versions of these.
    """

    judged: str
    a: Trial
    b: Trial
    trials: tuple[Trial, ...] = ()
    cause: tuple[tuple[str, ...], ...] = ()
    cured: Trial | None = None

    @property
    def answer(self) -> str:
        """The conclusion, in one or two sentences."""
        if self.a.verdict is not Verdict.PASS or self.b.verdict is not Verdict.FAIL:
            results = [str(one.verdict or one.problem) for one in (self.a, self.b)]
            return f"there is nothing to decide: {results[0]} under A, {results[1]} under B"
        if not self.cause:
            return "no package that can be tested decides: the other differences do"
        named = " and ".join(_named(one) for one in self.cause)
        together = " together" if len(self.cause) > 1 else ""
        unknown = sum(one.verdict not in (Verdict.PASS, Verdict.FAIL) for one in self.trials)
        rest = f"; {count(unknown, 'mixture')} could not be tested" if unknown else ""
        return f"decided by {named}{together}: {self._effect}{rest}"

    @property
    def _effect(self) -> str:
        if self.cured is None:
            return "it fails with B's versions of these among A's"
        if self.cured.verdict is Verdict.PASS:
            return "with A's versions, it passes under B"
        if self.cured.verdict is Verdict.FAIL:
            return "with A's versions, it still fails under B, so other packages break it too"
        return f"with A's versions, B could not be tested ({self.cured.problem or self.cured.verdict})"

    def to_json(self) -> dict[str, Json]:
        """The bisection as `--json` shows it."""
        return {
            "judged": self.judged,
            "a": self.a.to_json(),
            "b": self.b.to_json(),
            "trials": [one.to_json() for one in self.trials],
            "cause": [list(one) for one in self.cause],
            "answer": self.answer,
        }


def _named(packages: Sequence[str]) -> str:
    shown = and_more(packages, MOST_NAMED)
    return f"{shown} that can only change together with them" if len(packages) > MOST_NAMED else shown


def bisect_environments(case: Case, a: Lockfile, b: Lockfile, suspects: Sequence[Suspect]) -> Bisection:
    """Test under A, under B, and under mixtures of groups of packages that contain a hard suspect.

    Raises LedgerError where A or B cannot be built.
    """
    case = _with_checkpoint(case, a)
    judge = partial(_judge, case)
    before, after = (_trial(judge, one, name, ()) for one, name in ((a, "all of A"), (b, "all of B")))
    judged = f"{case.checkpoint.name}, reloaded" if case.checkpoint else f"{case.experiment}, rehearsed"
    if before.verdict is not Verdict.PASS or after.verdict is not Verdict.FAIL:
        return Bisection(judged, before, after)
    mixtures = _mixtures(case, a, b)
    packages = [one for one in suspects if one.kind is Kind.PACKAGE]
    search = Search(judge, mixtures, packages)
    cause = search.find()
    names = tuple(search.names([group]) for group in cause)
    cured = before if len(cause) == len(mixtures.groups) else search.cure(cause)
    return Bisection(judged, before, after, tuple(search.trials), names, cured)


@dataclass(frozen=True, slots=True)
class Mixtures:
    """The groups of packages that can only change together, and the lockfile of any mixture of A and B."""

    groups: tuple[frozenset[str], ...]
    lockfile: Callable[[frozenset[str]], Lockfile]


@dataclass(slots=True)
class Search:
    """The tests of mixtures, recorded in order."""

    judge: Judge
    mixtures: Mixtures
    suspects: Sequence[Suspect]
    trials: list[Trial] = field(default_factory=list)

    def find(self) -> list[frozenset[str]]:
        """The smallest cause; among the groups with a hard suspect, if these suffice to fail."""
        every = self.mixtures.groups
        names = {one.name for one in self.suspects if one.hard}
        hard = [group for group in every if names & group]
        return minimal_cause(hard if len(hard) == len(every) or self.fails(hard) else every, self.fails)

    def fails(self, upgraded: Sequence[frozenset[str]]) -> bool:
        """Whether A fails with B's versions of these groups."""
        reverted = [group for group in self.mixtures.groups if group not in upgraded]
        if not upgraded:
            return False  # that is A
        names = self.names(upgraded)
        return self._try(f"A with {len(names)} as in B", names, reverted).verdict is Verdict.FAIL

    def cure(self, reverted: Sequence[frozenset[str]]) -> Trial:
        """The test of B with A's versions of these groups."""
        names = self.names(reverted)
        return self._try(f"B with {len(names)} as in A", names, reverted)

    def names(self, groups: Sequence[frozenset[str]]) -> tuple[str, ...]:
        """The packages of the groups, most suspicious first."""
        known = [one.name for one in self.suspects]
        named = frozenset[str]().union(*groups)
        return (*(one for one in known if one in named), *sorted(named.difference(known)))

    def _try(self, installed: str, names: tuple[str, ...], reverted: Sequence[frozenset[str]]) -> Trial:
        trial = _trial(
            self.judge, self.mixtures.lockfile(frozenset[str]().union(*reverted)), installed, names
        )
        self.trials.append(trial)
        return trial


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


def _mixtures(case: Case, a: Lockfile, b: Lockfile) -> Mixtures:
    """The mixtures of two lockfiles' pins, in which the requirements of every distribution are still met."""
    pythons = [ensure([one], default_cache()) for one in (a, b)]
    requires = {key: lines for python in pythons for key, lines in requirements_of(python).items()}
    markers = marker_values()
    before, after = a.versions(markers), b.versions(markers)
    pins = {(pin.name, pin.version): pin for one in (b, a) for pin in one.applying(markers)}

    def lockfile(reverted: frozenset[str]) -> Lockfile:
        return _write(case.workspace, mixed(reverted, before, after), pins, a.options or b.options)

    return Mixtures(tuple(groups(before, after, requires)), lockfile)


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
