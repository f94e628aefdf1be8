"""Results of the lm-evaluation-harness: `results_*.json` files, or a folder of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ledger.errors import LedgerError
from ledger.evidence.imported_claims import Claimed, ClaimedRun
from ledger.findings import Json
from ledger.importers.untrusted_files import Problems, foreign, parse_json
from ledger.utils.json_values import to_metric

KIND = "lm-eval"
PATTERNS = ("results*.json", "*/results*.json", "*/*/results*.json")
_FACTS = ("git_hash", "date", "total_evaluation_time_seconds", "task_hashes", "n-samples")


def matches(path: Path) -> bool:
    """Whether this is a file of results, or a folder with some up to two levels down."""
    return any(map(_is_results, _files(path)))


def read(path: Path) -> Claimed:
    """One run for each file of results. Raises LedgerError if nothing can be read."""
    problems = Problems()
    found = {file: problems.mapping(file, parse_json) for file in _files(path)}
    runs = [_run(file, content) for file, content in found.items() if _has_results(content)]
    if not runs:
        if problems:
            raise LedgerError(f"nothing in {path} can be read: {problems[0]}", hint="is the copy complete?")
        raise foreign(path, "a file of results of lm-eval")
    return Claimed(KIND, tuple(runs), tuple(problems.files), tuple(problems))


def _run(file: Path, content: Mapping[str, Any]) -> ClaimedRun:
    """Metrics are `task/metric`; a filter other than `none` is a part of the name."""
    stated = content.get("config")
    config: dict[str, Json] = stated if isinstance(stated, dict) else {}
    metrics = {
        f"{task}/{name.removesuffix(',none')}": number
        for task, values in content["results"].items()
        if isinstance(values, dict)
        for name, value in values.items()
        if (number := to_metric(value)) is not None
    }
    model = content.get("model_name") or config.get("model_args") or config.get("model")
    shots: Json = content.get("n-shot")
    return ClaimedRun(
        experiment=str(model) if isinstance(model, str) and model else file.parent.name,
        key=f"{file.parent.name}/{file.stem}",
        outcome="completed",
        model=str(model) if isinstance(model, str) else None,
        params={**config, **({"n-shot": shots} if shots else {})},
        metrics=metrics,
        environment={
            name: content[name] for name in ("transformers_version", "lm_eval_version") if content.get(name)
        },
        facts={name: content[name] for name in _FACTS if content.get(name) is not None},
        where=file.name,
    )


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path] if path.suffix == ".json" else []
    return sorted({file for pattern in PATTERNS for file in path.glob(pattern) if file.is_file()})


def _is_results(file: Path) -> bool:
    return _has_results(Problems().mapping(file, parse_json))


def _has_results(content: Mapping[str, Any]) -> bool:
    results = content.get("results")
    known = {"config", "configs", "versions", "n-shot", "model_name"}
    return isinstance(results, dict) and bool(results) and bool(known & content.keys())
