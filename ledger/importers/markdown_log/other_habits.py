"""Logs without numbered experiments: runs in tables, under dated or other headings, in bullets; model cards.

What is stated is read by the same words as in other logs. Nothing here is compared with anything else, so a
log of another habit has no contradictions.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import isfinite, nan

from ledger.evidence.imported_claims import ClaimedRun, Outcome, Point
from ledger.findings import Json
from ledger.importers.markdown_log.events import classify
from ledger.importers.markdown_log.outline import Line, read_lines
from ledger.importers.markdown_log.statements import key_of, rate_of, scores_in
from ledger.importers.markdown_log.values import number, part, setting
from ledger.importers.markdown_log.vocabulary import (
    DATED,
    FUTURE,
    GENERIC,
    HOPED,
    KEYS,
    LEARNED,
    NAMED_BY,
    PLANNED,
    RESULTS,
    SAMPLES,
    SETTINGS,
    STATES,
    STEPS,
    UNSET,
    first_name,
)
from ledger.importers.tables import OUTCOMES, SCORE
from ledger.importers.untrusted_files import parse_yaml
from ledger.utils.json_values import to_metric

_FRONT = re.compile(r"\A---\r?\n(?P<yaml>.*?)\r?\n---\s*?(?:\r?\n|\Z)", re.DOTALL)
_PAIR = re.compile(r"(?<![\w.-])([A-Za-z_][\w.-]*)\s*=\s*([^,，、;\s（(）)=|]+)")
_FLAG = re.compile(r"--([A-Za-z][\w-]*)[ =]([^\s-]\S*)")
_CODE_SETTING = re.compile(r"\s*([A-Za-z_][\w.-]*)\s*[:=](?!=)\s*(\S.*)")
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d{1,2}(?!\d))")
_IN_BRACKETS = re.compile(r"[(（\[](?P<inner>[^()（）\[\]]{1,20})[)）\]]\s*$")
_FIRST = re.compile(r"([-+]?\d[\d.eE+-]*)\s*[,;，、]\s*[^\d\s]")
_FACTS = ("time", "data", "output", "verdict", "seconds", "train_size", "throughput")
_NOT_DONE = (FUTURE, HOPED, LEARNED, SAMPLES, PLANNED)


@dataclass(slots=True)
class _Found:
    """What a log states about one run, collected line by line. The first value of a key counts."""

    name: str
    line: int
    params: dict[str, Json] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    rates: dict[str, float] = field(default_factory=dict)
    series: dict[str, list[Point]] = field(default_factory=dict)
    outcome: Outcome | None = None

    @property
    def is_run(self) -> bool:
        """Whether there is a result: settings alone may be a description."""
        return bool(self.metrics or self.rates or self.series or (self.outcome and self.params))

    def claimed(self) -> ClaimedRun:
        values = dict(self.params)
        model = values.pop("model", None)
        return ClaimedRun(
            experiment=self.name,
            key=self.name,
            outcome=self.outcome,
            model=str(model) if model is not None else None,
            params={key: value for key, value in values.items() if key not in _FACTS},
            metrics=self.metrics,
            rates=self.rates,
            series=self.series,
            facts={key: values[key] for key in _FACTS if key in values},
            where=f"line {self.line}",
        )


def read_runs(text: str) -> tuple[ClaimedRun, ...]:
    """The runs that a log states, in the order of its lines; empty where it states none."""
    front, body = _split(text)
    every = read_lines(body)
    lines = [line for line in every if not _is_undone(line)]
    title = _title(every)
    owner_of = _Owners(lines)
    found: dict[str, _Found] = {}
    for line in lines:
        if line.kind == "row" and (name := _row_name(line, lines)):
            _take_row(found.setdefault(name, _Found(name, line.number)), line)
        elif line.kind != "heading" and (name := owner_of(line)):
            _take_line(found.setdefault(name, _Found(name, line.number)), line)
    for line in lines:
        if line.kind == "heading" and (one := found.get(line.text)):
            one.outcome = one.outcome or _ending(line.text)
    runs = [one for one in found.values() if one.is_run]
    if front:
        return _of_card(front, title, runs)
    others = [one for one in runs if one.name != title]
    return tuple(one.claimed() for one in (others or runs))


def _title(lines: Sequence[Line]) -> str:
    """The title of the document: a first heading with others below it, or one such as `Notes`."""
    first = next((line.text for line in lines if line.kind == "heading"), "")
    nested = any(len(line.headings) > 1 and line.headings[0] == first for line in lines)
    return first if nested or _is_generic(first) else ""


class _Owners:
    """The run that a line is about: the bullet that it is in, or that it is, else the nearest heading."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.listed = {line.number for line in lines if line.kind == "item" and _names_a_run(line)}

    def __call__(self, line: Line) -> str:
        if line.number in self.listed:
            return _clean(line.labelled[0])
        parents = [one for one in line.parents if not _is_generic(one)]
        if parents and not any(True for _ in _scores(parents[0])):
            return _clean(parents[0])
        headings = [one for one in line.headings if not _is_generic(one)]
        return headings[-1] if headings else ""


def _split(text: str) -> tuple[dict[str, Json], str]:
    """The front matter of a model card, and the text with its lines kept in place."""
    found = _FRONT.match(text)
    if not found:
        return {}, text
    try:
        content = parse_yaml(found["yaml"].encode())
    except ValueError:
        content = None
    blank = "\n" * found[0].count("\n")
    return content if isinstance(content, dict) else {}, blank + text[found.end() :]


def _is_undone(line: Line) -> bool:
    """Whether it is in a section or list of plans, hopes, lessons or samples."""
    headings = line.headings[1:] if len(line.headings) > 1 else ()
    parts = (*headings, *((line.label,) if line.label else ()), *line.parents)
    return any(pattern.search(one) for one in parts for pattern in _NOT_DONE if not DATED.search(one))


def _is_generic(title: str) -> bool:
    """Whether a heading or bullet names a part of a run rather than a run."""
    bare = title.rstrip(":： ")
    return bool(GENERIC.search(bare) or RESULTS.search(bare)) or (
        bool(SETTINGS.search(bare)) and not DATED.search(bare) and len(bare.split()) <= 3
    )


def _names_a_run(line: Line) -> bool:
    """Whether a bullet is `NAME: … BLEU 21.3 …`."""
    label, value = line.labelled
    known = first_name(KEYS, label) or rate_of(label) or SCORE.search(label) or _is_generic(label)
    has_score = any(True for _ in _scores(value))
    return bool(label and value and not known and has_score and not line.parents and len(label) <= 60)


def _take_line(found: _Found, line: Line) -> None:
    if line.kind == "row":
        _take_step(found, line)
    elif line.kind == "code":
        _take_code(found, line)
    else:
        label, value = line.labelled
        if _clean(label) == found.name:
            label = ""
        _take_value(found, label, value)
        for name, given in _PAIR.findall(line.text):
            _take_pair(found, name, given)
        _take_scores(found, line.text)


def _take_row(found: _Found, line: Line) -> None:
    """A row of a table of runs."""
    for heading, cell in zip(line.header, line.cells, strict=False):
        if _clean(cell) == found.name or not cell or UNSET.fullmatch(cell):
            continue
        _take_value(found, heading, cell, in_table=True)


def _take_value(found: _Found, label: str, value: str, *, in_table: bool = False) -> None:
    """`label: value`, or a cell under a heading."""
    if not label or not value:
        return
    key = key_of(label)
    if (SCORE.search(label) or key == "loss") and (score := _score(value)) is not None:
        if isfinite(score) or not in_table:  # an empty cell is often written as NaN
            name = next((name for name, _ in scores_in(f"{label}: 1")), "") or (key or label).lower()
            found.metrics.setdefault(re.sub(r"\s+", "_", name), score)
    elif STATES.fullmatch(label.strip()):
        known = OUTCOMES.get(value.strip().lower())
        found.outcome = found.outcome or known or classify(value)
    elif rate_of(label) and (share := part(value)) and (rate := share.rate(None)) is not None:
        found.rates.setdefault(rate_of(label), rate)
    elif first_name(KEYS, label) or in_table or (key and _is_setting(key, value)):
        first = _FIRST.match(value)  # of `5e-4, batch size 16`
        found.params.setdefault(key or label, setting(first[1] if first else value))


def _is_setting(key: str, value: str) -> bool:
    """`batch_size: 16` is one, `Note: this is odd` is not."""
    return "_" in key or number(value.split("(", maxsplit=1)[0]) is not None


def _take_pair(found: _Found, name: str, value: str) -> None:
    if SCORE.search(name) and (score := _score(value)) is not None:
        found.metrics.setdefault(name.lower(), score)
    else:
        found.params.setdefault(first_name(KEYS, name) or name, setting(value))


def _take_scores(found: _Found, text: str) -> None:
    for name, value in _scores(text):
        found.metrics.setdefault(name, value)


def _take_code(found: _Found, line: Line) -> None:
    """Settings in a configuration, or the flags of a command."""
    for name, value in _FLAG.findall(line.text):
        bare = name.replace("-", "_")
        found.params.setdefault(first_name(KEYS, bare) or bare, setting(value))
    match = _CODE_SETTING.fullmatch(line.text)
    if match and line.language in ("yaml", "yml", "toml", "ini", "json", "python"):
        found.params.setdefault(first_name(KEYS, match[1]) or match[1], setting(match[2]))


def _take_step(found: _Found, line: Line) -> None:
    """A row of a table with a step in each row: `Training results` of a model card."""
    at = next((n for n, heading in enumerate(line.header) if STEPS.fullmatch(heading)), None)
    step = number(line.cells[at]) if at is not None and at < len(line.cells) else None
    if step is None:
        return
    for heading, cell in zip(line.header, line.cells, strict=False):
        value = _score(cell)
        if value is not None and SCORE.search(heading):
            found.series.setdefault(re.sub(r"\s+", "_", heading.lower()), []).append(Point(int(step), value))


def _row_name(line: Line, lines: Iterable[Line]) -> str:
    """The name of a row's run; empty where its table has none, or no results."""
    if any(STEPS.fullmatch(heading) for heading in line.header):
        return ""
    known = [n for n, heading in enumerate(line.header) if NAMED_BY.fullmatch(heading.strip())]
    has_scores = any(SCORE.search(heading) or STATES.fullmatch(heading) for heading in line.header)
    if not known or not has_scores or known[0] >= len(line.cells):
        return ""
    name = _clean(line.cells[known[0]])
    same = [one for one in lines if one.block == line.block and one.kind == "row" and one.cells]
    twice = sum(known[0] < len(one.cells) and _clean(one.cells[known[0]]) == name for one in same) > 1
    if twice and len(known) > 1 and known[1] < len(line.cells):
        return f"{name} {_clean(line.cells[known[1]])}"
    return "" if twice else name


def _of_card(front: dict[str, Json], title: str, runs: Sequence[_Found]) -> tuple[ClaimedRun, ...]:
    """A model card: what its model-index states, with the settings and steps of its text."""
    index = front.get("model-index")
    entries = [one for one in index if isinstance(one, dict)] if isinstance(index, list) else []
    base = front.get("base_model")
    cards = []
    for entry in entries or [{}]:
        name = str(entry.get("name") or title or "model card")
        text = _merged(name, runs) if len(entries) <= 1 else _Found(name, 1)
        text.metrics = {**text.metrics, **dict(_index_metrics(entry.get("results")))}
        if isinstance(base, str):
            text.params.setdefault("model", base)
        cards.append(text)
    return tuple(one.claimed() for one in cards if one.is_run)


def _merged(name: str, runs: Sequence[_Found]) -> _Found:
    one = _Found(name, 1)
    for run in runs:
        one.params |= run.params
        one.metrics |= run.metrics
        one.rates |= run.rates
        one.series |= run.series
    return one


def _index_metrics(results: Json) -> Iterator[tuple[str, float]]:
    """The metrics of a model-index; with the data set's name where there are several."""
    known = [one for one in results if isinstance(one, dict)] if isinstance(results, list) else []
    for one in known:
        dataset = one.get("dataset")
        label = dataset.get("name") if isinstance(dataset, dict) and len(known) > 1 else None
        metrics = one.get("metrics")
        for metric in metrics if isinstance(metrics, list) else ():
            value = to_metric(metric.get("value")) if isinstance(metric, dict) else None
            if value is not None:
                name = str(metric.get("type") or metric.get("name")).lower()
                yield (f"{label}/{name}" if label else name), value


def _scores(text: str) -> Iterator[tuple[str, float]]:
    yield from scores_in(_DECIMAL_COMMA.sub(".", text))


def _score(text: str) -> float | None:
    """A score's value as written, with a decimal comma or point, its deviation and remarks left out."""
    bare = re.split(r"±|\+/-|\s[(（\[]|[(（]", _DECIMAL_COMMA.sub(".", text), maxsplit=1)[0].strip(" *★✅%")
    if bare.lower().lstrip("+-") in ("nan", "inf"):
        return nan if bare.lower().endswith("nan") else float(bare)
    return number(bare)


def _ending(heading: str) -> Outcome | None:
    brackets = _IN_BRACKETS.search(heading)
    return classify(brackets["inner"]) if brackets else None


def _clean(text: str) -> str:
    return text.strip().strip(":：*_` ").strip()
