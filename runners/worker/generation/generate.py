"""The `generate` job: translate every line of a file, in batches of similar length, shard by shard.

Every line gets a text, in its place; a line that cannot be translated gets the failure marker; shards that
are on disk are not done again.
"""

import hashlib
import platform
import time
from collections.abc import Mapping, Sequence
from typing import Any

from runners.worker.generation import shards
from runners.worker.generation.batches import Translate, translate_batch
from runners.worker.generation.shards import Batches, Shard, ShardFolder
from runners.worker.imported_packages import imported_distributions
from runners.worker.messages import Generate, GenerationResult
from runners.worker.models import loading, resolved_config
from runners.worker.models.translator import Translator, prepare
from runners.worker.protocol import Events

# What a shard depends on besides the effective configuration, the source and the model's files.
NAMED = ("model", "source_code", "target_code", "seed", "batch_size", "failure_marker", "max_source_length")


def generate(job: Generate, events: Events) -> GenerationResult:
    """Translate the job's source into shards; see `Generate`."""
    texts = loading.read_lines(job.source, job.lines)
    events.progress("loading the model", 0, 1)
    job = loading.locate(job, weights=True)
    translator = prepare(job, texts, events)
    events.progress("loading the model", 1, 1)
    settings = describe(translator)
    plan = plan_work(translator, job.batch_size)
    folder = ShardFolder(job.shards, digest_job(job, settings, texts))
    folder.path.mkdir(parents=True, exist_ok=True)
    resumed = _translate_all(translator, plan, folder, job.failure_marker, events)
    lines = tuple(shards.lines_in(plan))
    return GenerationResult(
        folder.job_digest, lines, settings, imported_distributions(), resumed, translator.truncated
    )


def plan_work(translator: Translator, batch_size: int) -> list[Batches]:
    """The batches of each shard; they depend on the source's tokens and the batch size only."""
    lengths = {line: len(row) for line, row in translator.rows.items()}
    return shards.plan_shards(shards.plan_batches(lengths, batch_size))


def describe(translator: Translator) -> dict[str, Any]:
    """The effective configuration of this run."""
    return {
        "family": translator.family.name,
        "languages": dict(translator.codes),
        **resolved_config.describe(
            translator.model, translator.tokenizer, translator.resolved, translator.keys
        ),
        "runtime": _runtime(translator),
    }


def digest_job(job: Generate, settings: Mapping[str, Any], texts: Sequence[str]) -> str:
    """What must be equal for a shard to be used again."""
    return shards.digest(
        {
            "named": {name: getattr(job, name) for name in NAMED},
            "settings": settings,
            "source": hashlib.sha256("\n".join(texts).encode()).hexdigest(),
            "files": loading.fingerprint(job.model),
        }
    )


def _runtime(translator: Translator) -> dict[str, Any]:
    import torch
    import transformers

    on_gpu = translator.device.startswith("cuda")
    return {
        "device": torch.cuda.get_device_name() if on_gpu else "cpu",
        "dtype": str(translator.model.dtype).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


def _translate_all(
    translator: Translator, plan: Sequence[Batches], folder: ShardFolder, marker: str, events: Events
) -> int:
    """Translate every shard that is not on disk; return the number of lines that are."""
    wanted = list(shards.lines_in(plan))
    stored = [folder.read(index, lines) is not None for index, lines in enumerate(wanted)]
    resumed = sum(len(lines) for lines, is_stored in zip(wanted, stored, strict=True) if is_stored)
    progress = ProgressBatcher(events, len(translator.rows), resumed)
    for index, batches in enumerate(plan):
        if not stored[index]:
            folder.write(index, translate_shard(translator, batches, marker, progress))
    return resumed


class ProgressBatcher:
    """Counts the lines done, and reports the rate since the first batch of this process."""

    def __init__(self, events: Events, total: int, resumed: int) -> None:
        self._events, self._total, self._resumed, self._done = events, total, resumed, resumed
        self._began = time.monotonic()
        events.progress("translating", resumed, total)

    def add(self, lines: int) -> None:
        """Report that `lines` more are done."""
        self._done += lines
        seconds = max(time.monotonic() - self._began, 1e-9)
        self._events.progress("translating", self._done, self._total, (self._done - self._resumed) / seconds)

    def notice(self, message: str) -> None:
        """Report a message to the user."""
        self._events.notice(message)


def translate_shard(translate: Translate, batches: Batches, marker: str, progress: ProgressBatcher) -> Shard:
    """One shard; a line that failed has the marker as its text."""
    lines: list[int] = []
    texts: list[str] = []
    failed: list[int] = []
    unfinished: list[int] = []
    sizes: list[int] = []
    halved = 0
    for batch in batches:
        outcome = translate_batch(translate, batch, progress.notice)
        lines += batch
        for line, done in zip(batch, outcome.lines, strict=True):
            texts.append(marker if done is None else done.text)
            if done is None:
                failed.append(line)
            elif done.unfinished:
                unfinished.append(line)
        sizes += outcome.sizes
        halved += outcome.halved
        progress.add(len(batch))
    return Shard(tuple(lines), tuple(texts), tuple(failed), tuple(sizes), halved, tuple(unfinished))
