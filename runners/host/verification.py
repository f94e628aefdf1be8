"""Verification as the ledger asks for it: a checkpoint's folder in, what it is once reloaded out.

The reload itself is a worker's; scores are computed here, for the experiment's environment need not have
sacrebleu.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ledger.checkpoints.stored_evidence import StoredEvidence, parse, read_evidence
from ledger.display.progress import Progress
from ledger.errors import LedgerError
from ledger.evaluation.scoring import score
from ledger.evidence.checkpoint_files import CheckpointFiles
from ledger.evidence.snapshot import Sample, Snapshot
from ledger.models.languages import language_of
from runners.host.worker_process import Event, Worker

PARTS = ("weights", "forward", "sample", "tokenizer", "effective")
NOTHING_KEPT = "no evidence was kept when it was saved"
EVIDENCE_FILE = "ledger/evidence.json"


@dataclass(frozen=True, slots=True)
class ReloadOptions:
    """What to ask of a checkpoint beyond what its own evidence says, as the user gave it.

    `source` and `reference` are lines; `language` is the target's, in any family's spelling; codes are in the
    checkpoint's own. `full`: translate all lines with the checkpoint's own generation settings. `device`:
    cpu, cuda or auto.
    """

    source: tuple[str, ...] = ()
    reference: tuple[str, ...] = ()
    language: str | None = None
    source_code: str | None = None
    target_code: str | None = None
    full: bool = False
    device: str = "cpu"


@dataclass(frozen=True, slots=True)
class ReloadResult:
    """What came of it. `expected` is the save's own evidence: parts that were not kept are None.

    `asked` is a second sample: the lines that the user gave where the first is of the evidence's, or all
    lines for `full`. Samples that have a reference and a language are scored. `seconds` by stage.
    """

    files: CheckpointFiles
    expected: Snapshot
    actual: Snapshot
    asked: Sample | None = None
    has_evidence: bool = False
    seconds: Mapping[str, float] = field(default_factory=dict)
    imported: tuple[str, ...] = ()


def reload(
    worker: Worker,
    checkpoint: Path,
    question: ReloadOptions,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
) -> ReloadResult:
    """Reload the checkpoint in the worker's environment and collect its evidence again.

    A folder that cannot be loaded is an answer, too. Raises LedgerError where the worker's environment or the
    machine is what keeps it from being done.
    """
    try:
        kept = read_evidence(checkpoint)
    except LedgerError as error:
        return _without_evidence(checkpoint, error.message)
    language = question.language or _language(kept)
    with ThreadPoolExecutor(1) as pool:  # the scorer's dictionaries are loaded while the worker works
        expected = pool.submit(_scored, kept.snapshot if kept else _nothing_kept(), language)
        result = worker.call(_job(checkpoint, question), _teller(on_progress))
    asked = parse(Sample, result["asked"]) if result["asked"] else None
    return ReloadResult(
        files=parse(CheckpointFiles, result["files"]),
        expected=expected.result(),
        actual=_scored(parse(Snapshot, result["snapshot"]), language),
        asked=asked and _score_sample(asked, language),
        has_evidence=kept is not None,
        seconds=result["seconds"],
        imported=tuple(result["imported"]),
    )


def _job(checkpoint: Path, question: ReloadOptions) -> Event:
    return {
        "job": "probe_checkpoint",
        "checkpoint": str(checkpoint.resolve()),
        "source": list(question.source),
        "reference": list(question.reference),
        "language": question.language,
        "source_code": question.source_code,
        "target_code": question.target_code,
        "full": question.full,
        "device": question.device,
    }


def _teller(on_progress: Callable[[Progress], None]) -> Callable[[Event], None]:
    def tell(event: Event) -> None:
        if event["event"] == "progress":
            on_progress(Progress(event["stage"], event["done"], event["total"], event["rate"]))

    return tell


def _language(kept: StoredEvidence | None) -> str | None:
    if kept is None or kept.snapshot.sample is None:
        return None
    code = kept.snapshot.sample.language or kept.recipe.get("target_code")
    return language_of(code) if code else None


def _scored(snapshot: Snapshot, language: str | None) -> Snapshot:
    if snapshot.sample is None:
        return snapshot
    return replace(snapshot, sample=_score_sample(snapshot.sample, language))


def _score_sample(sample: Sample, language: str | None) -> Sample:
    """The sample with its BLEU; without it where there is no reference or no language."""
    if not sample.reference or language is None or len(sample.reference) != len(sample.output):
        return sample
    bleu = score(sample.output, sample.reference, language).bleu
    return replace(sample, language=language, bleu=bleu)


def _nothing_kept() -> Snapshot:
    return Snapshot(unseen=dict.fromkeys(PARTS, NOTHING_KEPT))


def _without_evidence(checkpoint: Path, why: str) -> ReloadResult:
    """Damaged evidence is damage to the checkpoint: it is not looked at as if it never had any."""
    files = CheckpointFiles(str(checkpoint), "not read", 0, problems={EVIDENCE_FILE: why})
    unseen: dict[str, Any] = dict.fromkeys(PARTS, f"its evidence is damaged: {why}")
    return ReloadResult(files, Snapshot(unseen=unseen), Snapshot(unseen=unseen), has_evidence=True)
