"""The `rehearse` job: train a tiny model of a family on a few dozen lines, and save it atomically.

Runs inside the experiment's environment, so that the same versions save the tiny model and the real one.
"""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from runners.worker.errors import JobError
from runners.worker.files import sync
from runners.worker.messages import RehearsalResult, Rehearse, to_json
from runners.worker.protocol import Events

RECORD = "rehearsal.json"
PARTIAL = ".partial"  # ends the name of a folder that is still being written
VERSIONS = ("torch", "transformers", "tokenizers", "sentencepiece", "safetensors")


def rehearse(job: Rehearse, events: Events) -> RehearsalResult:
    """Train a tiny model; see `Rehearse`.

    The tokenizer is trained on all triples, the model on the first `lines`: to translate (`objective`
    "translation"), or to restore masked text ("denoising"). The result is also written to `rehearsal.json`.
    """
    from runners.worker.models.recipes import RECIPES
    from runners.worker.rehearsal.models import make

    if job.family not in RECIPES:
        known = ", ".join(RECIPES)
        raise JobError(
            "unknown family", f"there is no tiny model of family {job.family!r}", f"one of {known}"
        )
    began = time.monotonic()
    from runners.worker.rehearsal import training

    with training.repeatable(job.seed), _complete_folder(job.folder) as partial:
        events.progress("making a tiny model", 0, 1)
        lines = [line for row in job.triples for line in row]
        tokenizer, model = make(job.family, lines, partial, tags=[name for one in job.names for name in one])
        events.progress("making a tiny model", 1, 1)
        epoch = training.overfit(job, tokenizer, model, events)
        model.save_pretrained(partial)
        tokenizer.save_pretrained(partial)
        result = RehearsalResult(
            family=job.family,
            objective=job.objective,
            lines=job.lines,
            seed=job.seed,
            steps=epoch.steps,
            loss=epoch.loss,
            right=epoch.right,
            parameters=model.num_parameters(),
            versions={name: version(name) for name in VERSIONS},
            seconds=time.monotonic() - began,
        )
        record = json.dumps(to_json(result), indent=1, sort_keys=True)
        (partial / RECORD).write_text(record + "\n", encoding="utf-8")
    return result


@contextmanager
def _complete_folder(folder: Path) -> Iterator[Path]:
    """A folder to write to, which becomes `folder` by one rename when the block succeeds."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", suffix=PARTIAL, dir=folder.parent))
    yield partial
    for file in partial.iterdir():
        sync(file)
    sync(partial)
    partial.rename(folder)
    sync(folder.parent)
