"""`ledger verify`: reload a checkpoint in a fresh process, guard what came of it, and record the verdict.

The mark of a verified checkpoint is written last, after its verdict is in the journal.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from guards import registry
from guards.guard import inspect
from ledger.canonical import digest_file
from ledger.checkpoint import (
    Mark,
    Origin,
    Snapshot,
    digest_files,
    evidence_path,
    files_of,
    list_checkpoints,
    now,
    read_evidence,
    stated_mark,
    verified_path,
    write_mark,
)
from ledger.environment import Environment
from ledger.errors import LedgerError, UsageError
from ledger.evidence import Evidence, Measured, SoundFiles, TextEvidence
from ledger.findings import Json, Report, Verdict
from ledger.flows.record import store_environment
from ledger.flows.samples import inspect_sample
from ledger.flows.voice import Voice
from ledger.journal import open_journal
from ledger.lineage import claims_of, origin_of_checkpoint, origin_of_run, step_in_name
from ledger.lockfile import Lockfile
from ledger.lockfile import find as find_lockfiles
from ledger.metric import Metric
from ledger.progress import Progress
from ledger.runs import Run, load_runs
from ledger.runs import find as find_run
from ledger.workspace import Workspace
from runners.environment import capture
from runners.environments import default_cache, ensure
from runners.process import Worker
from runners.verification import PARTS, Question, Reloaded, reload

EVIDENCE_LOST = (
    "{run} keeps evidence of every save, and this one has none: its trainer ended before it was written"
)


@dataclass(frozen=True, slots=True)
class Request:
    """What the user typed. The environment to reload in is that of a `lockfile` (its name or path), or else
    the `interpreter`'s; `claims` are scores stated of the checkpoints, `run` the run they are said to be of.
    """

    checkpoints: tuple[Path, ...]
    interpreter: Path = Path(sys.executable)
    lockfile: str | None = None
    question: Question = field(default_factory=Question)
    claims: Mapping[str, float] = field(default_factory=dict)
    run: str | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """What is the same for all checkpoints that are verified together. Without a workspace, no journal."""

    workspace: Workspace | None
    environment: Environment
    question: Question = field(default_factory=Question)
    claims: Mapping[str, float] = field(default_factory=dict)
    runs: tuple[Run, ...] = ()
    run: Run | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """One checkpoint, verified. `memory` and `reloaded` are BLEU over the same lines, where there are any.

    `files` is the digest over what was verified; None where it could not be read. `run` is the one on the
    record that it is of. `entry` is the journal's, `marked` whether the mark was written.
    """

    checkpoint: Path
    report: Report
    result: Reloaded
    files: str | None = None
    text: TextEvidence | None = None
    run: Run | None = None
    entry: str | None = None
    marked: bool = False

    @property
    def step(self) -> int | None:
        """The step that the evidence, or else the folder's name, tells."""
        return self.result.expected.origin.step or step_in_name(self.checkpoint)

    @property
    def memory(self) -> Metric | None:
        """BLEU in the training process."""
        return _bleu(self.result.expected)

    @property
    def reloaded(self) -> Metric | None:
        """BLEU of the reloaded model."""
        return _bleu(self.result.actual)


def verify(workspace: Workspace | None, request: Request, voice: Voice) -> list[Verified]:
    """Verify each checkpoint, one after the other in one worker, and record each as soon as it is judged.

    Raises LedgerError when one is not there, or the environment cannot be had.
    """
    for checkpoint in request.checkpoints:
        if not checkpoint.is_dir():
            what = "is a file" if checkpoint.exists() else "does not exist"
            raise LedgerError(f"{checkpoint} {what}", hint="name the folder of a checkpoint")
    if request.lockfile:
        request = replace(request, interpreter=_build(workspace, request.lockfile, voice))
    done: list[Verified] = []
    total = len(request.checkpoints)
    with Worker(request.interpreter, _log(workspace)) as worker, voice.progress("checkpoints") as tell:
        with ThreadPoolExecutor(1) as pool:  # importing transformers takes seconds
            ready = pool.submit(worker.call, {"job": "get_ready"})
            setting = prepare(workspace, request)
            ready.result()
        for checkpoint in request.checkpoints:
            tell(Progress("reloading", len(done), total))
            done.append(record(setting, verify_checkpoint(worker, setting, checkpoint), voice.say))
        tell(Progress("reloading", total, total))
    return done


def _build(workspace: Workspace | None, lockfile: str, voice: Voice) -> Path:
    """The Python of the environment that a lockfile pins, built where it is not there yet."""
    with voice.progress("steps") as tell:
        return ensure(_lockfiles(workspace, lockfile), default_cache(), tell)


def _lockfiles(workspace: Workspace | None, name: str) -> list[Lockfile]:
    return find_lockfiles(name, workspace.lockfiles if workspace else Path("lockfiles"))


def prepare(workspace: Workspace | None, request: Request) -> Setting:
    """Look at the environment and the record once. Raises UsageError for a run that is not on the record."""
    runs = tuple(load_runs(workspace)) if workspace else ()
    if request.run and not workspace:
        raise UsageError("--run needs a ledger: there is none here", hint="make one with: ledger init")
    run = find_run(runs, request.run) if request.run else None
    known = run or _run_of(request.checkpoints[0], runs)
    return Setting(
        workspace=workspace,
        environment=_environment(workspace, known, request),
        question=request.question,
        claims=request.claims,
        runs=runs,
        run=run,
    )


def verify_checkpoint(worker: Worker, setting: Setting, checkpoint: Path) -> Verified:
    """Reload it and guard what came of it; nothing is recorded or marked yet."""
    before = _stamps(checkpoint)
    with ThreadPoolExecutor(1) as pool:  # while the worker imports what it needs
        digest = pool.submit(_digest, checkpoint)
        result = reload(worker, checkpoint, setting.question)
    # What was digested is what was reloaded only if nobody wrote to it meanwhile.
    files = digest.result() if _stamps(checkpoint) == before else None
    run = setting.run or _run_of(checkpoint, setting.runs)
    expected, actual = _sides(setting, checkpoint, result, run)
    said, memory = (result.asked, None) if result.asked else (result.actual.sample, result.expected.sample)
    on_text, text = inspect_sample(said, memory)
    report = inspect(registry.CHECKPOINT, expected, actual) + on_text
    return Verified(checkpoint, report, result, files, text, run)


def record(
    setting: Setting, verified: Verified, say: Callable[[str], None], place: Path | None = None
) -> Verified:
    """Journal the verdict, then mark the checkpoint if it passed; returns it with entry and mark.

    `place` is the checkpoint itself where what was verified is a snapshot of it. A verdict that is no pass
    takes back the mark of an earlier one in the same environment.
    """
    checkpoint = place or verified.checkpoint
    passed = verified.report.verdict is Verdict.PASS
    if not passed:
        _withdraw(checkpoint, setting.environment.digest)
    entry = _journal(setting, verified, checkpoint) if setting.workspace else None
    marked = passed and _mark(checkpoint, setting, verified, entry, say)
    return replace(verified, entry=entry, marked=marked)


def _mark(
    checkpoint: Path, setting: Setting, verified: Verified, entry: str | None, say: Callable[[str], None]
) -> bool:
    if verified.files is None:
        say(f"{checkpoint} was written to while it was verified: it is not marked; verify it again")
        return False
    environment = setting.environment.digest
    mark = Mark(verified.files, str(Verdict.PASS), now(), entry, environment, verified.reloaded)
    try:
        write_mark(checkpoint, mark)
    except (LedgerError, OSError) as error:
        say(f"{checkpoint} passed, but could not be marked as verified: {error}")
        return False
    return True


def _withdraw(checkpoint: Path, environment: str) -> None:
    """Take back a mark; one from another environment says something else, and stays."""
    mark = stated_mark(checkpoint)
    if mark is None or mark.environment in (None, environment):
        with suppress(OSError):
            verified_path(checkpoint).unlink()


def _journal(setting: Setting, verified: Verified, checkpoint: Path) -> str:
    assert setting.workspace is not None
    mode = verified.run.mode if verified.run else "real"
    journal = open_journal(setting.workspace, mode)
    store_environment(journal, setting.environment)
    return journal.append("checkpoint.verified", _body(setting, verified, checkpoint, mode)).id


def _body(setting: Setting, verified: Verified, checkpoint: Path, mode: str) -> dict[str, Json]:
    assert setting.workspace is not None
    root, path = setting.workspace.root, checkpoint.resolve()
    evidence = evidence_path(verified.checkpoint)
    return {
        "run": verified.run.id if verified.run else None,
        "experiment": verified.run.experiment if verified.run else None,
        "mode": mode,
        "checkpoint": str(path.relative_to(root) if path.is_relative_to(root) else path),
        "step": verified.step,
        "files": verified.files,
        "evidence": f"sha256:{digest_file(evidence)['sha256']}" if evidence.is_file() else None,
        "environment": setting.environment.digest,
        "scores": {
            "memory": asdict(verified.memory) if verified.memory else None,
            "reloaded": asdict(verified.reloaded) if verified.reloaded else None,
        },
        "report": verified.report.to_json(),
        "verdict": str(verified.report.verdict),
    }


def _sides(
    setting: Setting, checkpoint: Path, result: Reloaded, run: Run | None
) -> tuple[Evidence, Evidence]:
    """What is expected of the checkpoint, and what is there."""
    workspace = setting.workspace
    before = replace(_kept(result, run), last_good=_last_good(checkpoint))
    origin = replace(result.actual.origin, environment=setting.environment.digest)
    known = origin_of_run(run, workspace.runs / run.id) if run and workspace else Origin()
    earlier = [one for one in setting.runs if one.status == "finished" and _same_pipeline(one, run)]
    scored = result.asked if result.asked and result.asked.bleu else result.actual.sample
    scores = {"bleu": scored.bleu} if scored and scored.bleu else {}
    expected = Evidence(
        files=SoundFiles(),
        snapshot=before,
        lineage=known,
        claims=claims_of(checkpoint, setting.claims, earlier),
    )
    actual = Evidence(
        files=result.files,
        snapshot=replace(result.actual, origin=origin),
        lineage=origin_of_checkpoint(checkpoint, result.expected if result.has_evidence else None),
        claims=Measured(scores, len(scored.output) if scored else 0),
    )
    return expected, actual


def _kept(result: Reloaded, run: Run | None) -> Snapshot:
    """What was kept at the save. A training of the ledger owes it: a save of it without is no foreign one."""
    if run is None or (run.started.get("spec") or {}).get("task") != "training":
        return result.expected
    lost = {} if result.has_evidence else dict.fromkeys(PARTS, EVIDENCE_LOST.format(run=run.id))
    return replace(result.expected, owed=True, unseen={**result.expected.unseen, **lost})


def _same_pipeline(earlier: Run, run: Run | None) -> bool:
    return run is None or (earlier.mode == run.mode and earlier.experiment == run.experiment)


def _last_good(checkpoint: Path) -> Metric | None:
    """What the newest verified save before this one scored when it was reloaded."""
    step = step_in_name(checkpoint)
    for other in reversed(list_checkpoints(checkpoint.absolute().parent)):
        if step is not None and (step_in_name(other) or 0) < step and (mark := stated_mark(other)):
            return mark.bleu
    return None


def _run_of(checkpoint: Path, runs: Sequence[Run]) -> Run | None:
    """The run on the record that a checkpoint names, or in whose folder, called as the run, it lies."""
    known = {run.id: run for run in runs}
    with suppress(LedgerError):
        kept = read_evidence(checkpoint)
        if kept and kept.snapshot.origin.run:
            return known.get(kept.snapshot.origin.run)
    return next((known[part] for part in reversed(checkpoint.resolve().parts) if part in known), None)


def _environment(workspace: Workspace | None, run: Run | None, request: Request) -> Environment:
    """The environment to reload in, held against its own lockfile, or else the run's: its digest can then be
    compared with the run's."""
    of_run = (run.started.get("spec") or {}).get("environment") if run else None
    name = request.lockfile or of_run
    return capture(request.interpreter, _lockfiles(workspace, str(name)) if name else [])


def _stamps(checkpoint: Path) -> dict[str, tuple[int, int, int]]:
    """Inode, size and time of every file, the ledger's own left out."""
    stamps = {}
    for path in files_of(checkpoint):
        with suppress(FileNotFoundError):
            found = path.stat()
            stamps[str(path)] = (found.st_ino, found.st_size, found.st_mtime_ns)
    return stamps


def _digest(checkpoint: Path) -> str | None:
    try:
        return digest_files(checkpoint)
    except OSError:
        return None


def _bleu(snapshot: Snapshot) -> Metric | None:
    return snapshot.sample.bleu if snapshot.sample else None


def _log(workspace: Workspace | None) -> Path:
    folder = workspace.private if workspace else Path(tempfile.gettempdir()) / f"ledger-{os.getuid()}"
    return folder / "verify.log"
