"""Verification, from the parent's side: a checkpoint's folder in, the evidence of the reloaded model out.

A worker reloads it; scores are computed here, since the experiment's environment need not have sacrebleu.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from ledger.checkpoints.folders import EVIDENCE, FOLDER
from ledger.checkpoints.stored_evidence import StoredEvidence, parse, read_evidence
from ledger.errors import LedgerError
from ledger.evaluation.scoring import score
from ledger.evidence.checkpoint_files import CheckpointFiles
from ledger.evidence.preflight import TokenizerProbe
from ledger.evidence.snapshot import Sample, Snapshot
from ledger.models.languages import language_of, names_of
from ledger.utils.plural import and_more
from runners.host.generation import to_probe
from runners.host.worker_process import Worker
from runners.worker.evidence.checkpoint_files import inspect_folder
from runners.worker.messages import ProbeCheckpoint

PARTS = ("weights", "forward", "sample", "tokenizer", "effective", "trace")
NO_EVIDENCE = "no evidence was written when it was saved"
EVIDENCE_FILE = f"{FOLDER}/{EVIDENCE}"
SILENCE = 600.0  # seconds that a reload may take without progress, plus the time to read its files
MOST_NAMED = 4  # files in a reason
SLOWEST = 10e6  # bytes that a network file system delivers a second


@dataclass(frozen=True, slots=True)
class ReloadOptions:
    """What to do with a checkpoint beyond repeating its own evidence, as the user requested.

    `source` and `reference` are lines; `language` is what the text is, for scores and script guards. The
    model is given the codes, in its own spelling, or the `prefix`; where there are none, what it states
    itself. `full`: translate all lines with the checkpoint's own generation settings. `device`: cpu, cuda or
    auto. `silence`: seconds without progress after which a reload is ended; None: see `reload`.
    """

    source: tuple[str, ...] = ()
    reference: tuple[str, ...] = ()
    language: str | None = None
    source_code: str | None = None
    target_code: str | None = None
    prefix: str | None = None
    full: bool = False
    device: str = "cpu"
    silence: float | None = None


@dataclass(frozen=True, slots=True)
class ReloadResult:
    """The evidence of a reloaded checkpoint. `expected` is that of the save: missing parts are None.

    `user_sample` is a second sample: the user's lines, where the first one has those of the evidence, or all
    lines for `full`. `codes`: those that the user wrote, if the tokenizer lacks one: nothing was translated.
    Samples with a reference and a language are scored. `seconds` by stage.
    """

    files: CheckpointFiles
    expected: Snapshot
    actual: Snapshot
    user_sample: Sample | None = None
    has_evidence: bool = False
    codes: TokenizerProbe | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    imported: tuple[str, ...] = ()


def inspect_files(checkpoint: Path) -> CheckpointFiles:
    """The files of a folder, without loading anything: see `runners.worker.evidence.checkpoint_files`."""
    return parse(CheckpointFiles, inspect_folder(checkpoint))


def reload(
    worker: Worker, checkpoint: Path, options: ReloadOptions, files: CheckpointFiles | None = None
) -> ReloadResult:
    """Reload the checkpoint in the worker's environment and collect its evidence again.

    `files`, if they were inspected before. A folder that cannot be loaded is a result, too: one whose files
    are at fault is not given to the worker. Raises LedgerError where the worker's environment or the machine
    is at fault, or nothing happens for SILENCE and the time that reading the files takes.
    """
    files = files or inspect_files(checkpoint)
    try:
        evidence = read_evidence(checkpoint)
    except LedgerError as error:
        problems = files.problems or {EVIDENCE_FILE: error.message}
        return _not_loaded(replace(files, problems=problems), Snapshot())
    language = options.language or _language(evidence)
    if files.problems or files.refusals:
        return _not_loaded(files, _scored(evidence.snapshot, language) if evidence else None)
    silence = options.silence or SILENCE + files.bytes / SLOWEST
    with ThreadPoolExecutor(1) as pool:  # the scorer's dictionaries are loaded while the worker works
        expected = pool.submit(
            _scored,
            evidence.snapshot if evidence else Snapshot(unseen=dict.fromkeys(PARTS, NO_EVIDENCE)),
            language,
        )
        result = worker.call(_job(checkpoint, options, files), silence=silence)
    given = parse(Sample, result.asked) if result.asked else None
    return ReloadResult(
        files=parse(CheckpointFiles, result.files),
        expected=expected.result(),
        actual=_scored(parse(Snapshot, result.snapshot), language),
        user_sample=given and _score_sample(given, language),
        has_evidence=evidence is not None,
        codes=to_probe(result.codes) if result.codes else None,
        seconds=result.seconds,
        imported=result.imported,
    )


def _job(checkpoint: Path, options: ReloadOptions, files: CheckpointFiles) -> ProbeCheckpoint:
    return ProbeCheckpoint(
        checkpoint=checkpoint.resolve(),
        source=options.source,
        reference=options.reference,
        language=options.language,
        source_code=options.source_code,
        names=names_of(options.language),
        target_code=options.target_code,
        prefix=options.prefix,
        full=options.full,
        device=options.device,
        files=asdict(files),
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


def _not_loaded(files: CheckpointFiles, before: Snapshot | None) -> ReloadResult:
    """The result for files that are not loaded. `before`: the evidence of the save, if it has any."""
    blamed = ["the folder" if name == "." else name for name in (*files.problems, *files.refusals)]
    why = f"it was not loaded, because of {and_more(sorted(blamed), MOST_NAMED)}"
    after = Snapshot(unseen=dict.fromkeys(PARTS, why))
    expected = before or Snapshot(unseen=dict.fromkeys(PARTS, NO_EVIDENCE))
    return ReloadResult(files, expected, after, has_evidence=before is not None)
