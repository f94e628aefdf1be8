"""Output folders of the Hugging Face Trainer: trainer_state.json, configs and result files.

training_args.bin is a pickle and is never opened.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from ledger.errors import LedgerError
from ledger.evidence.imported_claims import Claimed, ClaimedRun, Outcome, Point
from ledger.findings import Json
from ledger.importers.trainer_state import NAME, TrainerState, read_trainer_state
from ledger.importers.untrusted_files import Problems, foreign, model_in, parse_json
from ledger.utils.json_values import to_metric

KIND = "huggingface"
RESULTS = ("all_results.json", "train_results.json", "eval_results.json", "predict_results.json")
CONFIGS = {"config.json": "model", "generation_config.json": "generation", "adapter_config.json": "adapter"}
PICKLE = "training_args.bin"
_CHECKPOINT = re.compile(r"checkpoint-(\d{1,15})")
_OWN_FIELDS = {"step", "epoch"}
_STATE_SETTINGS = (
    "max_steps",
    "num_train_epochs",
    "train_batch_size",
    "eval_steps",
    "save_steps",
    "logging_steps",
)
# Nested parts of a config that are left out: they do not decide how a model is built or generates.
_NESTED = ("id2label", "label2id", "task_specific_params", "quantization_config")


def matches(path: Path) -> bool:
    """Whether the folder, or a checkpoint in it, holds a trainer_state.json."""
    return path.is_dir() and bool(_states(path))


def read(path: Path) -> Claimed:
    """The run of a Trainer's output folder, read from its newest state. Raises LedgerError."""
    folders = _states(path) if path.is_dir() else []
    if not folders:
        raise foreign(path, "a folder of the Hugging Face Trainer")
    problems = Problems()
    folder, state = _newest(folders, path, problems)
    content = problems.mapping(folder / NAME, parse_json)
    configs = _configs((path, folder), problems)
    results = _results(path, problems)
    if any((one / PICKLE).exists() for one in (path, folder)):
        problems.append(f"{PICKLE} was not read: it is a pickle, which can run code when it is opened")
    series = _series(state.log)
    run = ClaimedRun(
        experiment=_name(path),
        key=_name(path),
        outcome=_outcome(state.step, content.get("max_steps"), bool(results)),
        model=model_in(configs.get("model", {})),
        params={**{key: content[key] for key in _STATE_SETTINGS if content.get(key)}, **configs},
        metrics={**{name: points[-1].value for name, points in series.items()}, **results},
        series=series,
        environment=_versions(configs),
        logged=state.logged,
        facts=_facts(state, [one.name for one in folders if one != path]),
        where=f"{folder.name}/{NAME}",
    )
    return Claimed(KIND, (run,), tuple(problems.files), tuple(problems))


def _newest(folders: list[Path], path: Path, problems: Problems) -> tuple[Path, TrainerState]:
    """The state with the latest step among those that can be read."""
    states = [(folder, read_trainer_state(folder)) for folder in folders]
    problems += [f"{folder.name}/{NAME}: {state.problem}" for folder, state in states if state.problem]
    good = [(folder, state) for folder, state in states if state.step is not None]
    if not good:
        raise LedgerError(
            f"no {NAME} in {path} can be read: {problems[0]}", hint="is the copy of the folder complete?"
        )
    return max(good, key=lambda one: one[1].step or 0)


def _facts(state: TrainerState, checkpoints: list[str]) -> dict[str, Json]:
    best = state.best_checkpoint and Path(state.best_checkpoint).name
    facts = {
        "steps": state.step,
        "best_metric": state.best,
        "best_checkpoint": best,
        "checkpoints": checkpoints,
    }
    return {key: value for key, value in facts.items() if value not in (None, [])}


def _states(path: Path) -> list[Path]:
    found = [one.parent for one in (path / NAME, *path.glob(f"checkpoint-*/{NAME}")) if one.is_file()]
    return sorted(found, key=_step_of)


def _step_of(folder: Path) -> int:
    named = _CHECKPOINT.fullmatch(folder.name)
    return int(named[1]) if named else -1


def _name(path: Path) -> str:
    """The output folder's name, also if `path` is a checkpoint in it."""
    folder = path.absolute()
    return folder.parent.name if _CHECKPOINT.fullmatch(folder.name) else folder.name


def _configs(folders: Iterable[Path], problems: Problems) -> dict[str, dict[str, Json]]:
    """The configs by role; later folders override earlier ones."""
    found: dict[str, dict[str, Json]] = {}
    for folder in folders:
        for name, role in CONFIGS.items():
            if content := problems.mapping(folder / name, parse_json):
                found[role] = {key: value for key, value in content.items() if key not in _NESTED}
    return found


def _results(path: Path, problems: Problems) -> dict[str, float]:
    found: dict[str, float] = {}
    for name in RESULTS:
        content = problems.mapping(path / name, parse_json)
        found |= {key: number for key, value in content.items() if (number := to_metric(value)) is not None}
    return found


def _series(log: Iterable[Mapping[str, Json]]) -> dict[str, list[Point]]:
    series: dict[str, list[Point]] = {}
    for row in log:
        step = row.get("step")
        for name, value in row.items():
            number = to_metric(value)
            if number is not None and name not in _OWN_FIELDS and isinstance(step, int):
                series.setdefault(name, []).append(Point(step, number))
    return series


def _outcome(step: int | None, planned: Json, has_results: bool) -> Outcome | None:
    """`completed` if the planned steps were done or results were written, else unknown."""
    return "completed" if has_results or (step and step == planned) else None


def _versions(configs: Mapping[str, Mapping[str, Json]]) -> dict[str, Json]:
    versions = (one.get("transformers_version") for one in configs.values())
    version = next(filter(None, versions), None)
    return {"packages": {"transformers": version}} if version else {}
