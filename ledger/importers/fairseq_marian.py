"""The text logs of fairseq and Marian: one run for each log, or for a folder with Marian's two.

The forms are those of fairseq's `--log-format json` and `simple`, and of Marian's trainer and validator.
"""

import ast
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ledger.errors import LedgerError
from ledger.evidence.imported_claims import Claimed, ClaimedRun, Outcome, Point
from ledger.findings import Json
from ledger.importers.untrusted_files import Problems, foreign, model_in
from ledger.utils.json_values import to_metric

KIND = "log"
SUFFIXES = (".log", ".txt", ".out")
SEARCHED_BYTES = 256 * 1024  # at the beginning of a file, to see what wrote it
MOST_BYTES = 512 * 1024 * 1024
_NUMBER = r"[-+]?(?:\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?|nan|inf(?:inity)?)"
_FAIRSEQ = re.compile(r"\| INFO \| (?P<part>train_inner|train|valid|test)\w* \| (?P<rest>.+)$", re.IGNORECASE)
_FAIRSEQ_CONFIG = re.compile(r"\| INFO \| fairseq\w*\.\w+ \| (?P<config>Namespace\(.*\)|\{.*\})\s*$")
_SIMPLE = re.compile(rf"(?P<name>[\w./-]+) (?P<value>{_NUMBER})$", re.IGNORECASE)
_MARIAN_TRAIN = re.compile(
    rf"\] Ep\. (?P<epoch>\d[\d.]*) : Up\. (?P<step>\d+) : Sen\. [\d,]+ : "
    rf"Cost (?P<cost>{_NUMBER})(?P<rest>.*)$",
    re.IGNORECASE,
)
_MARIAN_VALID = re.compile(
    rf"\[valid\] Ep\. (?P<epoch>\d[\d.]*) : Up\. (?P<step>\d+) : (?P<name>[\w-]+) : (?P<value>{_NUMBER})",
    re.IGNORECASE,
)
_MARIAN_CONFIG = re.compile(r"\[config\] (?P<name>[\w-]+): (?P<value>.*)$")
_MARIAN_MORE = ((re.compile(rf": gNorm ({_NUMBER})", re.I), "grad_norm"),
                (re.compile(rf": L\.r\. ({_NUMBER})", re.I), "learning_rate"))  # fmt: skip
_FAIRSEQ_ERROR = re.compile(r"^(?:Traceback \(most recent call last\)|FloatingPointError|RuntimeError)")
_NOT_METRICS = {"epoch", "update", "num_updates", "wall", "train_wall"}


@dataclass(slots=True)
class _Log:
    """What a log says, collected line by line."""

    params: dict[str, Json] = field(default_factory=dict)
    series: dict[str, dict[int, float]] = field(default_factory=dict)
    facts: dict[str, Json] = field(default_factory=dict)
    outcome: Outcome | None = None
    tool: str = ""

    def add(self, name: str, step: int, value: float) -> None:
        self.series.setdefault(name, {})[step] = value  # the later line of one step counts


def matches(path: Path) -> bool:
    """Whether this is a log of fairseq or Marian, or a folder with one."""
    return any(_tool(file) for file in _files(path))


def read(path: Path) -> Claimed:
    """The runs. Raises LedgerError if nothing can be read."""
    problems = Problems()
    groups: dict[str, list[Path]] = {}
    for file in _files(path):
        if tool := _tool(file):  # Marian's validations are in a log of their own
            groups.setdefault(
                file.parent.name if tool == "marian" and path.is_dir() else file.stem, []
            ).append(file)
    runs = [run for name, files in groups.items() if (run := _run(path, name, files, problems))]
    if not runs:
        if problems:
            raise LedgerError(f"nothing in {path} can be read: {problems[0]}", hint="is the copy complete?")
        raise foreign(path, "a log of fairseq or Marian")
    return Claimed(KIND, tuple(runs), tuple(problems.files), tuple(problems))


def _run(path: Path, stem: str, files: Iterable[Path], problems: Problems) -> ClaimedRun | None:
    log = _Log()
    for file in files:
        text = problems.read(file, lambda data: data.decode("utf-8", "replace"), MOST_BYTES)
        for line in (text or "").splitlines():
            for take in _TAKERS:
                if take(log, line):
                    break
    if not log.series:
        return None
    name = path.absolute().name if stem in ("train", "valid", "log") and path.is_dir() else stem
    if stem in ("train", "valid", "log") and path.is_file():
        name = path.absolute().parent.name
    series = {metric: [Point(step, by[step]) for step in sorted(by)] for metric, by in log.series.items()}
    last = max(points[-1].step for points in series.values())
    return ClaimedRun(
        experiment=name,
        key=name,
        outcome=log.outcome,
        model=model_in(log.params),
        params=log.params,
        metrics={metric: points[-1].value for metric, points in series.items()},
        series=series,
        facts={"tool": log.tool, "steps": last, **log.facts},
        where=", ".join(file.name for file in files),
    )


def _fairseq(log: _Log, line: str) -> bool:
    found = _FAIRSEQ.search(line)
    if not found:
        return False
    log.tool = "fairseq"
    rest, part = found["rest"].strip(), "valid" if found["part"].lower() == "valid" else "train"
    values = _json_values(rest) if rest.startswith("{") else _simple_values(rest)
    step = values.get(f"{part}_num_updates", values.get("num_updates"))
    if step is None:
        return True
    for name, value in values.items():
        bare = name.removeprefix(f"{part}_")
        if bare not in _NOT_METRICS:
            log.add(f"{part}_{bare}" if found["part"].lower() != "train_inner" else bare, int(step), value)
    return True


def _fairseq_config(log: _Log, line: str) -> bool:
    found = _FAIRSEQ_CONFIG.search(line)
    if found:
        log.params |= _settings(found["config"])
    return found is not None


def _ended(log: _Log, line: str) -> bool:
    if "done training in" in line or "Training finished" in line:
        log.outcome = "completed"
    elif log.tool == "fairseq" and _FAIRSEQ_ERROR.match(line):
        log.outcome = "failed"
    else:
        return False
    return True


def _marian(log: _Log, line: str) -> bool:
    if valid := _MARIAN_VALID.search(line):
        log.tool = "marian"
        log.add(f"valid_{valid['name']}", int(valid["step"]), _float(valid["value"]))
    elif train := _MARIAN_TRAIN.search(line):
        log.tool = "marian"
        log.add("train_loss", int(train["step"]), _float(train["cost"]))
        for pattern, name in _MARIAN_MORE:
            if more := pattern.search(train["rest"]):
                log.add(name, int(train["step"]), _float(more[1]))
    elif config := _MARIAN_CONFIG.search(line):
        log.params[config["name"]] = _plain(config["value"])
    else:
        return False
    return True


_TAKERS: tuple[Callable[[_Log, str], bool], ...] = (_fairseq, _marian, _fairseq_config, _ended)


def _json_values(text: str) -> dict[str, float]:
    try:
        content = json.loads(text)
    except ValueError:
        return {}
    values = ((str(name), _value(value)) for name, value in content.items())
    return {name: value for name, value in values if value is not None}


def _simple_values(text: str) -> dict[str, float]:
    """`epoch 001 | loss 9.1 | num_updates 100`."""
    parts = (_SIMPLE.fullmatch(part.strip()) for part in text.split("|"))
    return {part["name"]: _float(part["value"]) for part in parts if part}


def _settings(text: str) -> dict[str, Json]:
    """The arguments of a Namespace(...), or of the nested dict that newer releases print."""
    try:
        tree = ast.parse(text, mode="eval").body
        if isinstance(tree, ast.Call):
            return {one.arg: _literal(one.value) for one in tree.keywords if one.arg}
        content = ast.literal_eval(tree)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return {}
    return {
        f"{part}.{name}": value
        for part, settings in content.items()
        if isinstance(settings, dict)
        for name, value in settings.items()
        if value is not None and not str(name).startswith("_")
    }


def _literal(node: ast.expr) -> Json:
    try:
        value: Json = ast.literal_eval(node)
    except ValueError:
        return ast.unparse(node)
    return value


def _value(value: Json) -> float | None:
    """fairseq writes numbers as text."""
    if isinstance(value, str) and re.fullmatch(_NUMBER, value.strip(), re.IGNORECASE):
        return _float(value)
    return to_metric(value)


def _float(text: str) -> float:
    return float(text.replace(",", ""))


def _plain(text: str) -> Json:
    text = text.strip().strip('"')
    if text in ("true", "false"):
        return text == "true"
    return _number(text) if re.fullmatch(_NUMBER, text) else text


def _number(text: str) -> float | int:
    value = _float(text)
    return int(value) if value.is_integer() and "." not in text and "e" not in text.lower() else value


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path] if path.suffix.lower() in SUFFIXES else []
    found = (file for level in ("", "*/") for file in path.glob(f"{level}*"))
    return sorted(file for file in found if file.suffix.lower() in SUFFIXES and file.is_file())


def _tool(file: Path) -> str:
    """What wrote a log: `fairseq`, `marian`, or neither."""
    try:
        with file.open("rb") as opened:
            lines = opened.read(SEARCHED_BYTES).decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    log = _Log()
    for line in lines:
        if (_fairseq(log, line) or _marian(log, line)) and log.tool:
            return log.tool
    return ""
