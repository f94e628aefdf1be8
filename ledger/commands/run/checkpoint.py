"""A checkpoint of a run and its verdict: how it is shown, recorded and summed up for the whole run."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.evidence.metrics import Metric
from ledger.evidence.training import EvaluationPoint
from ledger.findings import Finding, Json, Report, Severity, Skip, Verdict
from ledger.utils.hashing import digest_json
from ledger.utils.plural import and_more

if TYPE_CHECKING:
    from ledger.commands.run.recorder import Recorder
    from ledger.commands.verify.background import CheckpointVerification
    from ledger.evidence.snapshot import Sample

NOT_CLAIMED = ("CKP016", "CKP017")  # about claimed scores: nothing to check where no checkpoint has one
CODE = "CKP001"  # of skips for checkpoints that were not verified


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One checkpoint and its verification. `memory` and `reloaded` are BLEU over the same lines, if any.

    `save_seconds` and `evidence_seconds` are how long the training waited for each. `tensors` is a digest
    over the digests of all tensors, None where they were not read.
    """

    step: int
    folder: Path
    report: Report
    memory: Metric | None = None
    reloaded: Metric | None = None
    sample: "Sample | None" = None
    marked: bool = False
    save_seconds: float = 0.0
    evidence_seconds: float = 0.0
    tensors: str | None = None

    @property
    def verdict(self) -> Verdict:
        """The verdict of the verification."""
        return self.report.verdict

    def to_json(self, recorder: "Recorder") -> dict[str, Json]:
        """The checkpoint as the journal stores it; `recorder` shortens its path."""
        return {
            "step": self.step,
            "path": recorder.shown(self.folder),
            "memory": self.memory.value if self.memory else None,
            "reloaded": self.reloaded.value if self.reloaded else None,
            "verdict": str(self.verdict),
            "marked": self.marked,
            "tensors": self.tensors,
            "save_seconds": self.save_seconds,
            "evidence_seconds": self.evidence_seconds,
        }


def to_checkpoint(done: "CheckpointVerification") -> Checkpoint:
    """The checkpoint with its verdict: inconclusive where it could not be verified."""
    saved, result = done.saved, done.result
    if result is None:
        assert done.error is not None
        skip = Skip(CODE, f"it could not be verified: {done.error.message}", required=True)
        return Checkpoint(saved.step, saved.folder, Report(skips=(skip,)))
    weights = result.result.actual.weights
    return Checkpoint(
        step=saved.step,
        folder=saved.folder,
        report=result.report,
        memory=result.memory,
        reloaded=result.reloaded,
        sample=result.result.actual.sample,
        # A single file has no place for a mark, and its snapshot is removed at the end.
        marked=result.marked and not saved.folder.is_file(),
        save_seconds=saved.save_seconds,
        evidence_seconds=saved.evidence_seconds,
        tensors=digest_json(dict(weights.digests)) if weights else None,
    )


def describe(checkpoint: Checkpoint) -> list[str]:
    """One line with the verdict, then one for each error and each required guard that was skipped."""
    name, scores = checkpoint.folder.name, ""
    if checkpoint.memory or checkpoint.reloaded:
        memory, reloaded = (_shown(one) for one in (checkpoint.memory, checkpoint.reloaded))
        scores = f"BLEU in memory {memory:>6}, reloaded {reloaded:>6}   "
    errors = [found for found in checkpoint.report.findings if found.severity >= Severity.ERROR]
    return [
        f"{name:<18} {scores}{checkpoint.verdict.upper()}",
        *(f"  {found.code} {found.message}" for found in errors),
        *(f"  {skip.code} {skip.reason}" for skip in checkpoint.report.skips if skip.required),
    ]


def _shown(score: Metric | None) -> str:
    return f"{score.value:.2f}" if score else "-"


def sample_metrics(checkpoints: Sequence[Checkpoint]) -> dict[str, Json]:
    """The scores of the last verified checkpoint's sample: a few lines, which are no score of the model."""
    last = next((one for one in reversed(checkpoints) if one.marked), None)
    scores = {"sample_bleu": last.reloaded, "sample_bleu_memory": last.memory} if last else {}
    return {name: asdict(metric) for name, metric in scores.items() if metric}


def own_metrics(evaluations: Sequence[EvaluationPoint]) -> dict[str, Json]:
    """The last finite value of each metric that the script's own evaluations logged, with its step."""
    found: dict[str, Json] = {}
    for one in evaluations:
        for name, value in one.metrics.items():
            if isfinite(value):
                source = f"the script's own evaluation at step {one.step:,}"
                found[name] = {"value": value, "signature": source, "scale": None}
    return found


def combine_reports(checkpoints: Sequence[Checkpoint], *, warn_only: bool) -> Report:
    """The reports of all checkpoints as one: every error with its checkpoint, lesser findings once a code."""
    if not checkpoints:
        return Report(skips=(Skip(CODE, "the training saved no checkpoint", required=True),))
    found = list(_findings(checkpoints, warn_only=warn_only))
    codes = {finding.code for finding in found}
    skips = {skip.code: skip for skip in _skips(checkpoints) if skip.code not in codes}
    passed = dict.fromkeys(code for one in checkpoints for code in one.report.passed)
    return Report(
        findings=tuple(found),
        skips=tuple(skips.values()),
        passed=tuple(code for code in passed if code not in codes and code not in skips),
    )


def _skips(checkpoints: Sequence[Checkpoint]) -> Iterator[Skip]:
    """The skips by code, the required ones last; one that not all checkpoints have names those that do."""
    skipped: dict[str, list[tuple[str, Skip]]] = {}
    for one in checkpoints:
        for skip in one.report.skips:
            skipped.setdefault(skip.code, []).append((one.folder.name, skip))
    for code, named in skipped.items():
        if code in NOT_CLAIMED and len({name for name, _ in named}) == len(checkpoints):
            continue
        latest = next((skip for _, skip in reversed(named) if skip.required), named[-1][1])
        names = list(dict.fromkeys(name for name, skip in named if skip.reason == latest.reason))
        if len(names) < len({one.folder.name for one in checkpoints}):
            latest = replace(latest, reason=f"{and_more(names, 3)}: {latest.reason}")
        yield latest


def _findings(checkpoints: Sequence[Checkpoint], *, warn_only: bool) -> Iterator[Finding]:
    lesser: dict[str, Finding] = {}
    for one in checkpoints:
        for finding in one.report.findings:
            message = f"{one.folder.name}: {finding.message}"
            named = replace(finding, message=message, evidence={**finding.evidence, "step": one.step})
            if finding.severity < Severity.ERROR:
                lesser[finding.code] = named
            else:
                yield replace(named, severity=Severity.WARNING) if warn_only else named
    yield from lesser.values()
