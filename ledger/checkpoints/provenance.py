"""Where a checkpoint comes from and which scores are claimed for it, from its folder and from the journal.

Reads small files (names, times, trainer_state.json, the vocabulary) and entries, but no weights. The guards
in `guards.checkpoint` judge.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path

import orjson

from ledger.checkpoints.folders import read_small
from ledger.evidence.provenance import BestCheckpoint, Origin, ScoreClaim, ScoreClaims
from ledger.evidence.snapshot import Snapshot
from ledger.findings import Json
from ledger.importers.trainer_state import NAME, TrainerState, read_trainer_state
from ledger.journal.run import Run
from ledger.utils.hashing import digest_bytes, digest_file, digest_json
from ledger.utils.json_values import to_number
from ledger.utils.times import iso_utc

# Written by a running training into its run folder from time to time: {"step": 784}.
PROGRESS = "progress.json"
COMMAND_LINE = "--claim"

# `checkpoint-6000` (transformers), `epoch=3-step=1200.ckpt` (Lightning).
_STEP = re.compile(r"(?:^checkpoint-|(?:^|[^a-z])step=)(\d{1,15})(?=$|[-.])")
_WEIGHTS = ("*.safetensors", "*.bin", "*.ckpt", "*.pt")
# Files that map ids to pieces of text, in the tokenizers of seq2seq models.
_VOCABULARY = (
    "added_tokens.json",
    "merges.txt",
    "sentencepiece.bpe.model",
    "sentencepiece.model",
    "source.spm",
    "spiece.model",
    "target.spm",
    "target_vocab.json",
    "tokenizer.json",
    "tokenizer.model",
    "vocab.json",
    "vocab.txt",
)
# Metric names end in these, with any prefix: eval_bleu, test_ja_bleu, eval_sacrebleu.
_METRICS = ("bleu", "chrf")


def origin_of_checkpoint(checkpoint: Path, evidence: Snapshot | None = None) -> Origin:
    """The origin by the checkpoint itself: its name, trainer_state.json, its files, its evidence.

    Run, step, environment and time are those of the evidence; without it the time is that of the newest
    weights file, which copying may have changed. Never raises for the content of the files.
    """
    recorded = evidence.origin if evidence else Origin()
    state = read_trainer_state(checkpoint)
    return replace(
        recorded,
        folder_step=step_in_name(checkpoint),
        state_step=state.step,
        unreadable=state.problem,
        written=recorded.written or _written(checkpoint),
        tokenizer_digest=tokenizer_digest(checkpoint),
    )


def origin_of_run(run: Run, folder: Path) -> Origin:
    """The origin by the record of a run; its own `folder` has the progress of one that was cut off.

    A run that is still going on has no last step: it may be past it by now.
    """
    steps = [step for step in (run.last_step, _progress(folder)) if step is not None]
    return Origin(
        run=run.id,
        last_step=max(steps) if steps and run.status != "running" else None,
        started=run.time,
        environment=run.environment,
        tokenizer_digest=run.tokenizer_digest,
    )


def claims_of(checkpoint: Path, given: Mapping[str, float], earlier: Iterable[Run] = ()) -> ScoreClaims:
    """The scores claimed by `given` (value by metric, from the command line) and by trainer_state.json.

    `earlier` are finished runs of the same pipeline; their recorded scores are scaled to 0-100.
    """
    stated = tuple(ScoreClaim(name.lower(), value, COMMAND_LINE) for name, value in given.items())
    return ScoreClaims(stated + tuple(_claims_in_state(checkpoint)), _recorded(earlier))


def best_of(checkpoint: Path, arguments: Mapping[str, Json]) -> BestCheckpoint | None:
    """What trainer_state.json calls the best checkpoint; None where it names none.

    `arguments` are the TrainingArguments. Where they do not name the metric, it is the logged one with the
    same value at some step.
    """
    state = read_trainer_state(checkpoint)
    if state.best is None or not state.best_checkpoint:
        return None
    rows = [row for row in state.log if isinstance(row.get("step"), int)]
    named = str(arguments.get("metric_for_best_model") or "loss")
    known = named if named.startswith("eval_") else f"eval_{named}"
    equal = [key for row in rows for key in row if key.startswith("eval_") and row[key] == state.best]
    metric = known if known in equal else next(iter(equal), "")
    if not metric:
        return None
    values = ((row["step"], to_number(row.get(metric))) for row in rows)
    scores = tuple((step, value) for step, value in values if value is not None and isfinite(value))
    return BestCheckpoint(Path(state.best_checkpoint).name, metric, state.best, scores)


def step_in_name(checkpoint: Path) -> int | None:
    """The step in a checkpoint's name; None where there is none."""
    found = _STEP.search(checkpoint.absolute().name)
    return int(found[1]) if found else None


def tokenizer_digest(folder: Path) -> str | None:
    """One digest over the vocabulary files of a tokenizer's folder; None where there is none.

    Comparable between checkpoints with the same tokenizer class and environment: others may write other
    files. The other content of tokenizer.json (padding, as last used) is left out.
    """
    files = {name: _vocabulary(path) for name in _VOCABULARY if (path := folder / name).is_file()}
    digests = {name: digest for name, digest in files.items() if digest is not None}
    return digest_json(digests) if digests else None


def _vocabulary(path: Path) -> str | None:
    try:
        if path.name == "tokenizer.json" and (content := _vocabulary_content(read_small(path))):
            return digest_bytes(content)
        return f"sha256:{digest_file(path)['sha256']}"
    except OSError:
        return None


def _vocabulary_content(data: bytes) -> bytes | None:
    try:
        content = orjson.loads(data)
        vocabulary = {key: content.get(key) for key in ("model", "added_tokens")}
        return orjson.dumps(vocabulary, option=orjson.OPT_SORT_KEYS)
    except (ValueError, TypeError, AttributeError):
        return None  # not a tokenizer.json: the bytes of the file are digested as they are


def _written(checkpoint: Path) -> str | None:
    """When the newest file of weights, or else of the configuration, was written (UTC)."""
    if checkpoint.is_file():
        return _time_of([checkpoint])
    weights = [
        path for pattern in _WEIGHTS for path in checkpoint.glob(pattern) if path.name != "training_args.bin"
    ]
    return _time_of(weights) or _time_of([checkpoint / NAME, checkpoint / "config.json"])


def _time_of(paths: Iterable[Path]) -> str | None:
    times = []
    for path in paths:
        try:
            times.append(datetime.fromtimestamp(path.stat().st_mtime, UTC))
        except (OSError, OverflowError, ValueError):
            continue  # deleted meanwhile, or a time outside the calendar
    return iso_utc(max(times)) if times else None


def _progress(folder: Path) -> int | None:
    try:
        content = orjson.loads(read_small(folder / PROGRESS))
    except (OSError, orjson.JSONDecodeError):
        return None  # never written, or only in part
    return _step(content.get("step")) if isinstance(content, dict) else None


def _step(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _claims_in_state(checkpoint: Path) -> Iterator[ScoreClaim]:
    """The scores at the checkpoint's own step, and best_metric if it is a score of this checkpoint."""
    state = read_trainer_state(checkpoint)
    seen: set[tuple[str, float]] = set()
    for row in state.log:
        if row.get("step") == state.step:
            for key, metric, value in _scores(row):
                seen.add((metric, value))
                yield ScoreClaim(metric, value, f"{NAME}, {key} at step {state.step:,}")
    best = _best(checkpoint, state)
    if best and best not in seen:
        yield ScoreClaim(*best, f"{NAME}, best_metric")


def _best(checkpoint: Path, state: TrainerState) -> tuple[str, float] | None:
    """best_metric with its name, which is that of the logged score with the same value."""
    where = state.best_checkpoint
    if state.best is None or not where or step_in_name(Path(where)) != step_in_name(checkpoint):
        return None
    scores = (score for row in state.log for score in _scores(row))
    return next(((metric, value) for _, metric, value in scores if value == state.best), None)


def _scores(row: Mapping[str, Json]) -> Iterator[tuple[str, str, float]]:
    for key, value in row.items():
        metric = next((name for name in _METRICS if key.lower().endswith(name)), None)
        number = to_number(value)
        if metric and number is not None:
            yield key, metric, number


def _recorded(runs: Iterable[Run]) -> dict[str, tuple[float, ...]]:
    found: dict[str, list[float]] = {}
    for run in runs:
        for stated, metric in run.metrics.items():
            name = stated.removeprefix("sample_")
            if name not in _METRICS:
                continue
            low, high = metric.scale
            found.setdefault(name, []).append(100 * (metric.value - low) / (high - low))
    return {name: tuple(values) for name, values in found.items()}
