"""Generation, from the parent's side: a job in, an output file and facts for the record out."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ledger.display.progress import Progress
from ledger.errors import LedgerError
from ledger.evidence.preflight import CodeProbe, TokenizerProbe
from ledger.findings import Json
from ledger.models.languages import names_of
from runners.host.worker_process import Worker, WorkerDiedError, shown
from runners.worker import messages
from runners.worker.files import write_atomically
from runners.worker.generation.shards import Shard, ShardFolder

PROBE_SENTENCES = 10


@dataclass(frozen=True, slots=True)
class GenerationJob:
    """What to translate, with which model and settings. `model` is a folder, or a hub name at `revision`.

    `source` is a UTF-8 file of `lines` lines. The languages say what the text is, where no code is named.
    `generation` has the settings of the spec; for others the model's defaults apply. `family` None: inferred
    from the model's config. A line that fails becomes `failure_marker`.
    """

    model: str
    source: Path
    lines: int
    output: Path
    failure_marker: str
    revision: str | None = None
    source_code: str | None = None
    target_code: str | None = None
    source_language: str | None = None
    target_language: str | None = None
    generation: Mapping[str, Json] = field(default_factory=dict)
    family: str | None = None
    batch_size: int = 8
    max_source_length: int | None = None
    dtype: str = "float32"
    device: str = "auto"
    seed: int = 0


@dataclass(frozen=True, slots=True)
class GenerationResult:
    """The result of a generation.

    `failed` counts lines with the failure marker, `resumed` the lines translated before a resume.
    `unfinished` are the lines, from 0, that reached the limit of tokens, `truncated` those whose source was
    cut.
    `batch_sizes` has a number for each shard: its smallest batch if memory was short, else the requested
    size; `halved` counts the batches that were halved. `seconds` is wall time, loading included.
    """

    output: Path
    lines: int
    failed: int
    resumed: int
    halved: int
    batch_sizes: tuple[int, ...]
    seconds: float
    effective: Mapping[str, Json]
    imported: tuple[str, ...]
    notices: tuple[str, ...] = ()
    unfinished: tuple[int, ...] = ()
    truncated: tuple[int, ...] = ()


def generate(
    worker: Worker,
    job: GenerationJob,
    run_dir: Path,
    on_progress: Callable[[Progress], None],
    on_notice: Callable[[str], None] | None = None,
) -> GenerationResult:
    """Translate the source and write the output: one line for each source line, in order.

    Shards are stored in `run_dir`, and those of the same job are not translated again, so that a run can be
    resumed. `on_notice` is called at once with notices such as a batch halved for lack of memory. Raises
    LedgerError for whatever prevents the run from finishing.
    """
    began = time.monotonic()
    folder = run_dir / "shards"
    notices: dict[str, None] = {}  # each once, in order

    def on_event(event: messages.Event) -> None:
        if isinstance(event, messages.Progress):
            on_progress(shown(event))
        elif isinstance(event, messages.Notice) and event.message not in notices:
            notices[event.message] = None
            if on_notice is not None:
                on_notice(event.message)

    try:
        result = worker.call(_to_worker(job, folder), on_event)
    except WorkerDiedError as error:
        raise error.resumable() from error
    shards = _read_shards(folder, result)
    _write_output(job, shards)
    return GenerationResult(
        output=job.output,
        lines=job.lines,
        failed=sum(len(shard.failed) for shard in shards),
        resumed=result.resumed,
        halved=sum(shard.halved for shard in shards),
        batch_sizes=tuple(min(shard.batch_sizes) if shard.halved else job.batch_size for shard in shards),
        seconds=time.monotonic() - began,
        effective=result.effective,
        imported=result.imported,
        notices=tuple(notices),
        unfinished=tuple(sorted(line for shard in shards for line in shard.unfinished)),
        truncated=result.truncated,
    )


def probe(worker: Worker, job: GenerationJob) -> TokenizerProbe:
    """How the model's tokenizer treats the job's language codes; loads no weights.

    Roles without a code in the family are left out. The round trip is tested on the first lines of the
    source.
    """
    with job.source.open(encoding="utf-8-sig", errors="replace") as file:
        sentences = [line.strip() for line, _ in zip(file, range(PROBE_SENTENCES), strict=False)]
    asked = messages.ProbeCodes(
        model=job.model,
        revision=job.revision,
        family=job.family,
        source_code=job.source_code,
        target_code=job.target_code,
        source_names=names_of(job.source_language),
        target_names=names_of(job.target_language),
        sentences=tuple(sentences),
    )
    return to_probe(worker.call(asked))


def to_probe(result: messages.CodesResult) -> TokenizerProbe:
    """A worker's result as evidence."""
    return TokenizerProbe(
        tokenizer=result.tokenizer,
        known_codes=result.known_codes,
        codes={role: CodeProbe(**code) for role, code in result.codes.items()},
        uncoded=result.uncoded,
        chosen=result.chosen,
    )


def _to_worker(job: GenerationJob, shards: Path) -> messages.Generate:
    return messages.Generate(
        model=job.model,
        revision=job.revision,
        family=job.family,
        source=job.source.resolve(),
        lines=job.lines,
        source_code=job.source_code,
        target_code=job.target_code,
        generation=job.generation,
        batch_size=job.batch_size,
        dtype=job.dtype,
        device=job.device,
        seed=job.seed,
        failure_marker=job.failure_marker,
        shards=shards.resolve(),
        source_names=names_of(job.source_language),
        target_names=names_of(job.target_language),
        max_source_length=job.max_source_length,
    )


def _read_shards(folder: Path, result: messages.GenerationResult) -> list[Shard]:
    stored = ShardFolder(folder, result.job_digest)
    shards = []
    for index, lines in enumerate(result.shards):
        shard = stored.read(index, lines)
        if shard is None:
            raise LedgerError(
                f"shard {index} in {folder} was changed during the run",
                hint="repeat the command with --resume: only that shard is translated again",
            )
        shards.append(shard)
    return shards


def _write_output(job: GenerationJob, shards: Iterable[Shard]) -> None:
    texts = [""] * job.lines  # a blank source line is in no shard: its translation is blank
    for shard in shards:
        for line, text in zip(shard.lines, shard.texts, strict=True):
            texts[line] = text
    job.output.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(job.output, "".join(f"{text}\n" for text in texts).encode())
