"""What is told and recorded of the saves of a command that has ended; without saves little is loaded."""

from dataclasses import asdict, replace

from ledger.commands.run.command.attached_training import AttachedLoop
from ledger.commands.run.recorder import Recorder
from ledger.findings import Json, Report, Severity, Skip, Verdict

CODE = "CKP001"  # what is said of a save that was not looked at


def report_of(loop: AttachedLoop, *, warn_only: bool, hint: str | None) -> Report:
    """The findings of all saves, the health of the training, and what was not verified, as skips."""
    report = _found(loop, warn_only=warn_only) if loop.trainings or loop.checkpoints else Report()
    if loop.trainings and not (loop.checkpoints or loop.unverified):
        report += Report(skips=(Skip(CODE, "the training saved no checkpoint"),))
    if loop.interrupted:
        report += Report(skips=(Skip(CODE, "the verification was interrupted", required=True),))
    reasons = [f"{one.folder.name}: {one.reason}" if one.folder else one.reason for one in loop.unverified]
    return report + Report(skips=tuple(Skip(CODE, reason) for reason in [*reasons, *filter(None, [hint])]))


def _found(loop: AttachedLoop, *, warn_only: bool) -> Report:
    from guards.guard import inspect
    from guards.training import LOGGED
    from ledger.commands.run.training.train import gather
    from ledger.evidence import Evidence
    from ledger.evidence.training import TrainingLimits, TrainingSeries

    report = gather(loop.checkpoints, warn_only=warn_only) if loop.checkpoints else Report()
    if not loop.points:
        return report
    series = TrainingSeries(tuple(loop.points), filtered=any(one.filtered for one in loop.trainings))
    health = inspect(LOGGED, Evidence(TrainingLimits()), Evidence(series))
    return report + (_as_warnings(health) if warn_only else health)


def finished(
    loop: AttachedLoop, report: Report, exit_code: int, seconds: float, recorder: Recorder
) -> dict[str, Json]:
    """What the journal is told of the end."""
    last = next((one for one in reversed(loop.checkpoints) if one.marked), None)
    scores = {"bleu": last.reloaded, "bleu_memory": last.memory} if last else {}
    verdict = Verdict.FAIL if exit_code else report.verdict
    folders = sorted({one.folder for one in loop.trainings})
    return {
        "status": "failed" if exit_code else "finished",
        "seconds": round(seconds, 3),
        "exit_code": exit_code,
        "output": {"path": recorder.shown(folders[0])} if len(folders) == 1 else None,
        "metrics": {name: asdict(metric) for name, metric in scores.items() if metric},
        "last_step": loop.last_step,
        "checkpoints": _rows(loop, recorder),
        "report": report.to_json(),
        "verdict": str(verdict),
    }


def _rows(loop: AttachedLoop, recorder: Recorder) -> list[Json]:
    if not loop.checkpoints:
        return []
    from ledger.commands.run.training.train import row

    return [row(one, recorder) for one in loop.checkpoints]


def _as_warnings(report: Report) -> Report:
    return replace(
        report,
        findings=tuple(replace(one, severity=min(one.severity, Severity.WARNING)) for one in report.findings),
    )
