"""The `rehearse` job: train a tiny model of a family on a few dozen lines and save it, whole or not at all.

Runs inside the experiment's environment, so that what saves the model is what will save the real one.
"""

import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from runners.worker.errors import JobError
from runners.worker.protocol import Events

RECORD = "rehearsal.json"
PARTIAL = ".partial"  # ends the name of a folder that is still being written
VERSIONS = ("torch", "transformers", "tokenizers", "sentencepiece", "safetensors")


def rehearse(job: Mapping[str, Any], events: Events) -> dict[str, Any]:
    """Train a tiny `family` model with `seed` and put it in `folder`, which must not exist yet.

    `triples` are lines in Korean, Japanese and English; the tokenizer learns from all of them, the model
    from the first `lines`: to translate (`objective` "translation"), or to restore masked text ("denoising").
    Result: what `rehearsal.json` in the folder says, beside `seconds`, the job's wall time.
    """
    from runners.worker.rehearsal.models import RECIPES, make

    if job["family"] not in RECIPES:
        known = ", ".join(RECIPES)
        raise JobError(
            "unknown family", f"there is no tiny model of family {job['family']!r}", f"one of {known}"
        )
    began = time.monotonic()
    from runners.worker.rehearsal import training

    folder = Path(job["folder"])
    with training.repeatable(job["seed"]), _put_in_place(folder) as partial:
        events.progress("making a tiny model", 0, 1)
        tokenizer, model = make(job["family"], [line for row in job["triples"] for line in row], partial)
        events.progress("making a tiny model", 1, 1)
        epoch = training.teach(job, tokenizer, model, events)
        model.save_pretrained(partial)
        tokenizer.save_pretrained(partial)
        record = {
            **{name: job[name] for name in ("family", "objective", "lines", "seed")},
            **{"steps": epoch.steps, "loss": epoch.loss, "right": epoch.right},
            "parameters": model.num_parameters(),
            "versions": {name: version(name) for name in VERSIONS},
            "seconds": time.monotonic() - began,
        }
        (partial / RECORD).write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return record


@contextmanager
def _put_in_place(folder: Path) -> Iterator[Path]:
    """A folder to write to, which becomes `folder` by one rename when the block ends well."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", suffix=PARTIAL, dir=folder.parent))
    yield partial
    for file in partial.iterdir():
        _sync(file)
    _sync(partial)
    partial.rename(folder)
    _sync(folder.parent)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
