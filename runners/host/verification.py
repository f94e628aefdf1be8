"""Verification, from the parent's side: a checkpoint's folder in, the evidence of the reloaded model out.

A worker reloads it; scores are computed here, since the experiment's environment need not have sacrebleu.
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
from ledger.models.languages import language_of, spellings_of
from runners.host.worker_process import Worker, progress_only
from runners.worker.messages import ProbeCheckpoint

PARTS = ("weights", "forward", "sample", "tokenizer", "effective")
NO_EVIDENCE = "no evidence was written when it was saved"
EVIDENCE_FILE = "ledger/evidence.json"


@dataclass(frozen=True, slots=True)
class ReloadOptions:
    """What to do with a checkpoint beyond repeating its own evidence, as the user requested.

    `source` and `reference` are lines; `language` is what the text is, for scores and script guards. The
    model is given the codes, in its own spelling, or the `prefix`; where there are none, what it states
    itself. `full`: translate all lines with the checkpoint's own generation settings. `device`: cpu, cuda or
    auto.
    """

    source: tuple[str, ...] = ()
    reference: tuple[str, ...] = ()
    language: str | None = None
    source_code: str | None = None
    target_code: str | None = None
    prefix: str | None = None
    full: bool = False
    device: str = "cpu"


@dataclass(frozen=True, slots=True)
class ReloadResult:
    """The evidence of a reloaded checkpoint. `expected` is that of the save: missing parts are None.

    `user_sample` is a second sample: the user's lines, where the first one has those of the evidence, or all
    lines for `full`. Samples with a reference and a language are scored. `seconds` by stage.
    """

    files: CheckpointFiles
    expected: Snapshot
    actual: Snapshot
    user_sample: Sample | None = None
    has_evidence: bool = False
    seconds: Mapping[str, float] = field(default_factory=dict)
    imported: tuple[str, ...] = ()


def reload(
    worker: Worker,
    checkpoint: Path,
    options: ReloadOptions,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
) -> ReloadResult:
    """Reload the checkpoint in the worker's environment and collect its evidence again.

    A folder that cannot be loaded is a result, too. Raises LedgerError where the worker's environment or the
    machine is at fault.
    """
    try:
        evidence = read_evidence(checkpoint)
    except LedgerError as error:
        return _without_evidence(checkpoint, error.message)
    language = options.language or _language(evidence)
    with ThreadPoolExecutor(1) as pool:  # the scorer's dictionaries are loaded while the worker works
        expected = pool.submit(
            _scored,
            evidence.snapshot if evidence else Snapshot(unseen=dict.fromkeys(PARTS, NO_EVIDENCE)),
            language,
        )
        result = worker.call(_job(checkpoint, options), progress_only(on_progress))
    given = parse(Sample, result.asked) if result.asked else None
    return ReloadResult(
        files=parse(CheckpointFiles, result.files),
        expected=expected.result(),
        actual=_scored(parse(Snapshot, result.snapshot), language),
        user_sample=given and _score_sample(given, language),
        has_evidence=evidence is not None,
        seconds=result.seconds,
        imported=result.imported,
    )


def _job(checkpoint: Path, options: ReloadOptions) -> ProbeCheckpoint:
    return ProbeCheckpoint(
        checkpoint=checkpoint.resolve(),
        source=options.source,
        reference=options.reference,
        language=options.language,
        source_code=options.source_code,
        spellings=spellings_of(options.language) if options.language else (),
        target_code=options.target_code,
        prefix=options.prefix,
        full=options.full,
        device=options.device,
    )


def _language(evidence: StoredEvidence | None) -> str | None:
    if evidence is None or evidence.snapshot.sample is None:
        return None
    code = evidence.snapshot.sample.language or evidence.recipe.get("target_code")
    return language_of(code) if code else None


def _scored(snapshot: Snapshot, language: str | None) -> Snapshot:
    if snapshot.sample is None:
        return snapshot
    return replace(snapshot, sample=_score_sample(snapshot.sample, language))


def _score_sample(sample: Sample, language: str | None) -> Sample:
    """The sample with its BLEU, if it has a reference and a language."""
    if not sample.reference or language is None or len(sample.reference) != len(sample.output):
        return sample
    bleu = score(sample.output, sample.reference, language).bleu
    return replace(sample, language=language, bleu=bleu)


def _without_evidence(checkpoint: Path, why: str) -> ReloadResult:
    """Damaged evidence is damage to the checkpoint, which is not treated as one without evidence."""
    files = CheckpointFiles(str(checkpoint), "not read", 0, problems={EVIDENCE_FILE: why})
    unseen: dict[str, Any] = dict.fromkeys(PARTS, f"its evidence is damaged: {why}")
    return ReloadResult(files, Snapshot(unseen=unseen), Snapshot(unseen=unseen), has_evidence=True)
