"""Figures that must agree: counts with their percentages, means with the values above them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from ledger.evidence.imported_claims import ClaimedShare, Mean
from ledger.importers.markdown_log.statements import Placed, rate_of
from ledger.importers.markdown_log.values import decimals, number, to_float
from ledger.importers.markdown_log.vocabulary import APPROXIMATE, MEAN

_N, _P = r"\d[\d,]{0,14}", r"[-+]?\d{1,15}(?:\.\d+)?"
_UNIT = r"(?:件|行|文|lines?|sentences?|samples?|segments?|outputs?|translations?)"
_SHARES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?P<percent>{_P})\s*%\s*[(（]\s*(?P<count>{_N})\s*(?:/|of|out of)\s*(?P<total>{_N})",
        rf"(?P<count>{_N})\s*(?:/|of(?: the)?|out of)\s*(?P<total>{_N})"
        rf"\s*[^\d%\n]{{0,30}}[,(（]\s*(?P<percent>{_P})\s*%",
        rf"(?P<count>{_N})\s*(?:vs\.?|対)\s*[^\d\s]*\s*(?P<total>{_N})\s*[(（]\s*(?P<percent>{_P})\s*%",
        rf"(?P<count>{_N})\s*{_UNIT}\s*[(（]\s*(?P<percent>{_P})\s*%",
        rf"(?P<percent>{_P})\s*%\s*[(（]\s*(?P<count>{_N})\s*{_UNIT}",
    )
)
_BARE_SHARE = re.compile(rf"[^:：]+[:：]\s*(?P<count>{_N})\s*[(（]\s*(?P<percent>{_P})\s*%\s*[)）].*")
_LABELLED_NUMBER = re.compile(
    r"\s*(?P<label>[^:：=]{1,40}?)\s*[:：=]\s*(?P<value>[-+]?\d{1,15}(?:\.\d+)?)\s*[^\w\s%.,/(（]*\s*"
)
_LEAST_VALUES = 3  # for a mean to be checked


def shares(placed: Sequence[Placed], lines: Mapping[str, float]) -> Iterator[ClaimedShare]:
    """Counts with their percentages. An unstated total is the experiment's number of lines."""
    for one in placed:
        text = one.line.text
        label = one.line.labelled[0] or text
        found = (match for pattern in _SHARES if (match := pattern.search(text)))
        match = next(found, None) or _BARE_SHARE.fullmatch(text)
        if match is None or APPROXIMATE.search(text[max(0, match.start() - 8) : match.end()]):
            continue
        stated = match.groupdict().get("total")
        known = lines.get(one.place.experiment) if rate_of(label) else None
        total = to_float(stated) if stated else known
        if total:
            count, percent = to_float(match["count"]), match["percent"]
            yield ClaimedShare(
                one.place.experiment,
                label[:60],
                count,
                total,
                float(percent),
                decimals(percent),
                one.line.number,
            )


def means(placed: Sequence[Placed]) -> Iterator[Mean]:
    """Means below three or more values of the same kind, in a list, a block or a table."""
    yield from _listed_means([one for one in placed if one.line.kind != "row"])
    for _, rows in groupby((one for one in placed if one.line.kind == "row"), lambda one: one.line.block):
        yield from _column_means(list(rows))


def _listed_means(placed: Sequence[Placed]) -> Iterator[Mean]:
    """Means below values of the same list with the same number of decimals, and about the list's subject."""
    values: list[str] = []
    intro, block = "", -1
    for one in placed:
        line = one.line
        match = None if line.kind == "heading" else _LABELLED_NUMBER.fullmatch(line.text)
        if match is None:
            values, intro = [], line.text
        elif MEAN.search(match["label"]):
            subject = MEAN.sub("", match["label"]).strip().lower()
            about = f"{intro} {line.label} {' '.join(line.headings)}".lower()
            if line.block - block <= 1 and (not subject or subject in about):
                yield from _mean(one, match["label"], match["value"], values)
            values = []
        else:
            is_kin = values and decimals(values[-1]) == decimals(match["value"]) and line.block == block
            values = [*values, match["value"]] if is_kin else [match["value"]]
            block = line.block


def _column_means(rows: Sequence[Placed]) -> Iterator[Mean]:
    """Means in a row that is labelled as such, for each column that has only numbers above."""
    for place, one in enumerate(rows):
        if one.line.cells and MEAN.search(one.line.cells[0]):
            columns = zip(*(above.line.cells for above in rows[:place]), strict=False)
            for heading, stated, values in zip(one.line.header, one.line.cells, columns, strict=False):
                if number(stated) is not None and all(number(value) is not None for value in values):
                    yield from _mean(one, heading, stated, values)


def _mean(one: Placed, label: str, stated: str, values: Sequence[str]) -> Iterator[Mean]:
    places = {decimals(value) for value in values}
    if len(values) >= _LEAST_VALUES and len(places) == 1 and places != {0}:
        numbers = tuple(map(to_float, values))
        yield Mean(one.place.experiment, label, to_float(stated), numbers, decimals(stated), one.line.number)
