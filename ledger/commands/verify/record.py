"""Records the result of a verification: the journal's entry first, the mark on the checkpoint last."""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from ledger.checkpoints.folders import evidence_path
from ledger.checkpoints.levels import levels_of, standing
from ledger.checkpoints.marks import Mark, remove_mark, stated_mark, write_mark
from ledger.commands.run.recorder import store_environment
from ledger.commands.verify.values import VerificationContext, VerificationResult
from ledger.errors import LedgerError
from ledger.findings import Json, Report, Verdict
from ledger.journal.store import open_journal
from ledger.utils.hashing import digest_file
from ledger.utils.paths import relative_if_inside
from ledger.utils.times import utc_now


def record(
    context: VerificationContext,
    verified: VerificationResult,
    say: Callable[[str], None],
    place: Path | None = None,
) -> VerificationResult:
    """Journal the verdict, then mark the checkpoint if it passed; returns it with entry and mark.

    `place` is the checkpoint itself if a snapshot of it was verified. Any verdict but a pass removes the mark
    of an earlier verification in the same environment.
    """
    checkpoint = place or verified.checkpoint
    passed = verified.report.verdict is Verdict.PASS
    if passed and (failed := _standing_failure(context, verified, checkpoint)):
        say(f"{checkpoint} passed, but is not marked: {failed}")
        passed = False
    if not passed:
        _remove_mark(checkpoint, context.environment.digest)
    entry = _journal(context, verified, checkpoint) if context.workspace else None
    marked = passed and _mark(checkpoint, context, verified, entry, say)
    return replace(verified, entry=entry, marked=marked)


def _mark(
    checkpoint: Path,
    context: VerificationContext,
    verified: VerificationResult,
    entry: str | None,
    say: Callable[[str], None],
) -> bool:
    if verified.files is None:
        say(f"{checkpoint} changed while it was being verified, so it was not marked; verify it again")
        return False
    environment, levels = context.environment.digest, verified.levels
    known = stated_mark(checkpoint)
    same = known is not None and (known.files, known.environment) == (verified.files, environment)
    if known and same and set(known.levels) > set(levels):
        return True  # it rests on more
    bleu = verified.reloaded
    mark = Mark(verified.files, str(Verdict.PASS), utc_now(), entry, environment, bleu, levels)
    try:
        write_mark(checkpoint, mark)
    except (LedgerError, OSError) as error:
        say(f"{checkpoint} passed, but could not be marked as verified: {error}")
        return False
    return True


def _standing_failure(
    context: VerificationContext, verified: VerificationResult, checkpoint: Path
) -> str | None:
    """What an earlier verdict found that rests on more than this one, and that nobody accepted."""
    if context.workspace is None:
        return None
    now = _body(context, verified, checkpoint, "real")
    runs = {run.id: run for run in context.runs}
    for body in standing([*context.verdicts, now])[:-1]:
        same = body.get("files") == now["files"] or body.get("checkpoint") == now["checkpoint"]
        if not same or body.get("environment") != now["environment"]:
            continue
        run = runs.get(str(body.get("run")))
        accepted = {one.code: one.why for one in run.acceptances} if run else {}
        report = Report.from_json(body["report"]).accept(accepted)
        if report.verdict is Verdict.FAIL:
            more = ", ".join(level for level in levels_of(report) if level not in verified.levels)
            return (
                f"an earlier verdict found {', '.join(sorted(report.failing))} and rests on more ({more}); "
                "verify it with its evidence, or accept the finding: ledger accept RUN CODE --why ..."
            )
    return None


def _remove_mark(checkpoint: Path, environment: str) -> None:
    """Remove a mark, unless it is from another environment."""
    mark = stated_mark(checkpoint)
    if mark is None or mark.environment in (None, environment):
        remove_mark(checkpoint)


def _journal(context: VerificationContext, verified: VerificationResult, checkpoint: Path) -> str:
    assert context.workspace is not None
    mode = verified.run.mode if verified.run else "real"
    journal = open_journal(context.workspace, mode)
    store_environment(journal, context.environment)
    return journal.append("checkpoint.verified", _body(context, verified, checkpoint, mode)).id


def _body(
    context: VerificationContext, verified: VerificationResult, checkpoint: Path, mode: str
) -> dict[str, Json]:
    assert context.workspace is not None
    root, path = context.workspace.root, checkpoint.resolve()
    evidence = evidence_path(verified.checkpoint)
    return {
        "run": verified.run.id if verified.run else None,
        "experiment": verified.run.experiment if verified.run else None,
        "mode": mode,
        "checkpoint": relative_if_inside(path, root),
        "step": verified.step,
        "files": verified.files,
        "evidence": f"sha256:{digest_file(evidence)['sha256']}" if evidence.is_file() else None,
        "environment": context.environment.digest,
        "machine": context.environment.machine_digest,
        "imported": list(verified.result.imported),
        "effective": _effective(context, verified),
        "scores": {
            "memory": asdict(verified.memory) if verified.memory else None,
            "reloaded": asdict(verified.reloaded) if verified.reloaded else None,
        },
        "levels": list(verified.levels),
        "report": verified.report.to_json(),
        "verdict": str(verified.report.verdict),
    }


def _effective(context: VerificationContext, verified: VerificationResult) -> dict[str, Json] | None:
    """The settings of the reloaded model, and the training arguments as this version reads them.

    None in the environment that trained: the run's own entry has them.
    """
    same = verified.run is not None and verified.run.environment == context.environment.digest
    settings = verified.result.actual.effective
    return None if same or settings is None else asdict(settings)
