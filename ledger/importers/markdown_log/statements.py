"""The values that a log states about its experiments: settings, rates, scores and sizes."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite, isnan, nan

from ledger.evidence.imported_claims import Statement, StatementKind
from ledger.findings import Json
from ledger.importers.markdown_log.attribution import LineContext, experiments_in, mentioned_others
from ledger.importers.markdown_log.outline import Line, split_label
from ledger.importers.markdown_log.values import part, seconds, setting
from ledger.importers.markdown_log.vocabulary import KEYS, LOST, RATES, SCORE, SETTINGS, first_name

_IDENTIFIER = re.compile(r"[A-Za-z_][\w.-]*")
_PAIR = re.compile(r"([A-Za-z_][\w.-]*)\s*=\s*([^,，、;\s（(）)=]+)")
_CODE_SETTING = re.compile(r"(?P<indent>\s*)(?P<name>[A-Za-z_][\w.-]*)\s*[:=](?!=)\s*(?P<value>.*)")
_SHELL = ("bash", "sh", "shell", "console", "text", "diff")
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_SIGNED = re.compile(r"([-+]?\d{1,15}\.\d+)\s*[^\w\s]*\s*")  # a measured value, possibly followed by a mark
_PATH = re.compile(r"\S*[/.]\w+")
_LANGUAGES = re.compile(r"[(（]([A-Za-z_]+)[)）].*?(?:→|->|to).*?[(（]([A-Za-z_]+)[)）]")
_LINES = re.compile(
    r"(\d[\d,]{0,14})\s*(?:件|文|行|samples?\b|lines?\b|sentences?\b|segments?\b)", re.IGNORECASE
)
_PERCENT_OF = re.compile(
    r"(\d+(?:\.\d+)?)\s*%\s*(?:of (?:the )?lines (?:are |were )?)?([^\d\s%+＋、,，（）()|→]+)"
)
COUNTED_OF = "counted of"  # the stated total of a share
_KINDS: dict[str, StatementKind] = {
    "train_size": "size",
    "total_steps": "steps",
    "seconds": "seconds",
    "throughput": "throughput",
    "epochs": "epochs",
    "loss": "score",
}


@dataclass(frozen=True, slots=True)
class Placed:
    """A line and its context."""

    line: Line
    place: LineContext


def statements(placed: Sequence[Placed]) -> list[Statement]:
    """All statements, in the order of the lines, those of abandoned plans included."""
    found: list[Statement] = []
    nesting: list[tuple[int, str]] = []
    for one in placed:
        if one.line.kind == "code":
            found += _code(one, nesting)
        else:
            nesting.clear()
            found += _row(one) if one.line.kind == "row" else _prose(one)
    return found


def rate_of(label: str) -> str:
    """The quantity that a label counts; empty if unknown."""
    return first_name(RATES, label)


def key_of(label: str) -> str:
    """The canonical name of a label: from the vocabulary, or the label itself if it is an identifier."""
    return first_name(KEYS, label) or (label if _IDENTIFIER.fullmatch(label) else "")


def _code(one: Placed, nesting: list[tuple[int, str]]) -> Iterator[Statement]:
    line, place = one.line, one.place
    match = _CODE_SETTING.fullmatch(line.text)
    if match is None or not place.is_done or not place.experiment or line.language in _SHELL:
        return
    indent = len(match["indent"])
    while nesting and (nesting[-1][0] >= indent):
        nesting.pop()
    name = ".".join([*(outer for _, outer in nesting), match["name"]])
    if not match["value"].split("#")[0].strip():
        nesting.append((indent, name.rpartition(".")[2]))
    elif place.settings or line.language in ("yaml", "yml", "python", "toml", "ini", "json"):
        yield from _setting(one, key_of(name) or name, match["value"])
    elif value := _SIGNED.fullmatch(match["value"]):
        yield _statement(one, match["name"], float(value[1]), "score", match["value"])


def _prose(one: Placed) -> Iterator[Statement]:
    line, place = one.line, one.place
    if not place.experiment or not place.is_done or mentioned_others(line, place.experiments):
        return
    label, value = line.labelled
    yield from _labelled(one, label, value)
    if place.settings or SETTINGS.search(label):
        for name, text in _PAIR.findall(line.text):
            yield from _setting(one, key_of(name) or name, text)
    yield from _scores(one, line.text)
    if not label:
        for percent, what in _PERCENT_OF.findall(line.text):
            if rate_of(what):
                yield _statement(one, rate_of(what), round(float(percent) / 100, 12), "rate", f"{percent}%")


def _labelled(one: Placed, label: str, value: str) -> Iterator[Statement]:
    line, place = one.line, one.place
    if not label:
        key = first_name(KEYS, line.label) if line.kind == "item" and not line.parents else ""
        if key in ("model", "data") and not experiments_in(line.text):
            yield from _setting(one, key, line.text)
        return
    rate, key = rate_of(label), key_of(label)
    share = part(value)
    if key in ("model", "languages", "data", "output", "time", "verdict"):
        yield from _setting(one, key, value)
    elif key in _KINDS:
        yield from _quantity(one, key, value)
    elif rate and share:
        yield from _rate(one, rate, value)
    elif rate and "%" in value:
        yield _statement(one, rate, value, "roughly", value)
    elif key and value and (place.settings or _is_code_name(key)) and not _PAIR.search(value):
        yield from _setting(one, key, value)


def _is_code_name(key: str) -> bool:
    """Whether the key is always a setting, such as `num_beams`; `Loss` is one only under settings."""
    return "_" in key or key in ("transformers", "torch", "epochs")


def _quantity(one: Placed, key: str, value: str) -> Iterator[Statement]:
    number = seconds(value) if key == "seconds" else setting(re.split("[(（]", value, maxsplit=1)[0])
    if isinstance(number, int | float) and not isinstance(number, bool):
        yield _statement(one, key, number, _KINDS[key], value)


def _rate(one: Placed, key: str, value: str) -> Iterator[Statement]:
    share = part(value)
    if share and key == "done":
        if share.total:
            yield _statement(one, "lines", int(share.total), "size", value)
        return
    rate = share.rate(None) if share else None
    if share and share.total:
        yield _statement(one, COUNTED_OF, int(share.total), "size", value)
    if rate is not None:
        yield _statement(one, key, rate, "rate", value)
    elif share and share.count is not None:
        # A bare count: its total is the size of the experiment.
        yield _statement(one, key, {"count": share.count}, "rate", value)


def _setting(one: Placed, key: str, text: str) -> Iterator[Statement]:
    if not text.strip() or (key == "output" and not _PATH.fullmatch(str(setting(text)))):
        return
    if key in _KINDS:
        yield from _quantity(one, key, text)
    elif key == "languages":
        codes = _LANGUAGES.search(text)
        for name, code in zip(("src_lang", "tgt_lang"), codes.groups() if codes else (), strict=False):
            yield _statement(one, name, code, "setting", text)
    elif key == "model":
        hub = _HUB_NAME.match(text)
        if one.line.label and one.line.kind == "item" and not hub and not one.line.labelled[0]:
            return  # `16-bit` in a list of the model's properties
        yield _statement(one, key, hub[0] if hub else setting(text), "setting", text)
    elif key == "data":
        size = _LINES.search(text)
        if size:
            yield _statement(one, "lines", int(size[1].replace(",", "")), "size", text)
        yield _statement(one, key, setting(text), "setting", text)
    else:
        yield _statement(one, key, setting(text), "setting", text)


def _scores(one: Placed, text: str) -> Iterator[Statement]:
    for name, value in scores_in(text):
        yield _statement(one, name, value, "score", text)


def scores_in(text: str) -> Iterator[tuple[str, float]]:
    """The scores in a text: `Test BLEU: 33.03` gives ("bleu", 33.03)."""
    for match in (*SCORE.finditer(text), *LOST.finditer(text)):
        name = match["name"].lower().replace("sacre", "").rstrip("+2").replace("損失", "loss")
        value = float(match["value"])
        yield (
            re.sub(r"\W", "_", name),
            nan if isnan(value) else value,
        )  # one NaN, which equals itself in a set


def _row(one: Placed) -> Iterator[Statement]:
    """A table's row: experiments down and quantities across, the other way round, or key and value."""
    line = one.line
    first, cells = (line.cells[0], line.cells[1:]) if line.cells else ("", ())
    headings = line.header[1:]
    if named := experiments_in(first):
        for heading, cell in zip(headings, cells, strict=False):
            for experiment in named:
                yield from _cell(one, experiment, heading, cell, heading)
    elif any(experiments_in(heading) for heading in headings):
        for heading, cell in zip(headings, cells, strict=False):
            for experiment in experiments_in(heading):
                yield from _cell(one, experiment, first, cell, heading)
    elif len(cells) == 1 and one.place.experiment and one.place.is_done:
        yield from _labelled(one, first, cells[0])
        yield from _scores(one, f"{first}: {cells[0]}")


def _cell(one: Placed, experiment: str, label: str, cell: str, heading: str) -> Iterator[Statement]:
    key, share = rate_of(label), part(cell)
    rate = share.rate(None) if share else None
    found: list[tuple[str, Json, StatementKind]] = [(key, rate, "rate")] if key and rate is not None else []
    if key and share is None and "%" in cell:
        found.append((key, cell, "roughly"))
    if not key:
        # In a table of runs an empty cell is often written as NaN.
        found += [(name, value, "score") for name, value in scores_in(f"{label}: {cell}") if isfinite(value)]
    for name, value, kind in found:
        yield Statement(
            experiment=experiment,
            key=name,
            value=value,
            line=one.line.number,
            kind=kind,
            text=cell,
            column=heading,
        )


def _statement(one: Placed, key: str, value: Json, kind: StatementKind, text: str) -> Statement:
    return Statement(
        experiment=one.place.experiment,
        key=key,
        value=value,
        line=one.line.number,
        kind=kind,
        scope=one.place.scope,
        text=split_label(text)[1] if kind == "score" else text.strip(),
    )
