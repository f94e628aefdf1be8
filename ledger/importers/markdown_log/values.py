"""Handwritten values: numbers, shares and durations, with brackets, arrows and comments."""

import math
import re
from dataclasses import dataclass

from ledger.findings import Json
from ledger.importers.markdown_log.vocabulary import APPROXIMATE, UNSET

_NUMBER = r"\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
NUMBER = re.compile(rf"[-+]?(?:{_NUMBER})")
_NOTE = re.compile(r"\s*[(（](?P<note>[^()（）]*)[)）]\s*$")
_REMARK = re.compile(r"\s*(?:←|<-|//).*$")
_COMMENT = re.compile(r"\s+#.*$|^#.*$")
_ARROW = re.compile(r"\s*(?:→|->|=>)\s*")
_SYMBOLS = re.compile(r"\s*[\u2600-\u27bf\ufe0f\U0001f300-\U0001faff]")
_LEADING = "\u2705\u274c\u26a0\ufe0f\U0001f525\U0001f680 "
_IDENTIFIER = re.compile(r"[A-Za-z0-9_]+")
_DURATION = re.compile(
    r"(\d+(?:\.\d+)?)\s*(時間|分|秒|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)(?![A-Za-z])",
    re.IGNORECASE,
)
_UNITS = {"時": 3600, "h": 3600, "分": 60, "m": 60, "秒": 1, "s": 1}
_PERCENT = re.compile(r"(?P<mark>[~〜約]\s*)?(?P<value>[-+]?\d+(?:\.(?P<decimals>\d+))?)\s*[%％]")
_CHANGE = re.compile(r"[%％][^%％]*?(?:→|->|=>|\bto\b|から)(?=[^%％]*[%％])")
_RANGE = re.compile(r"\d\s*[%％]?\s*[-–~〜]\s*\d+(?:\.\d+)?\s*[%％]")
_OF = re.compile(
    r"(?P<count>\d[\d,]{0,14})\s*(?:/|\bof\b|\bout of\b)\s*(?P<total>\d[\d,]{0,14})", re.IGNORECASE
)
_COUNT = re.compile(
    r"(?P<count>\d[\d,]{0,14})\s*(?:件|行|文|lines?\b|sentences?\b|samples?\b|segments?\b|outputs?\b|translations?\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class WrittenShare:
    """A share as written: a percentage (with its decimals), a count, a total, or several of them."""

    percent: float | None = None
    decimals: int = 0
    count: float | None = None
    total: float | None = None

    def rate(self, lines: float | None) -> float | None:
        """The share (0-1); `lines` is the total if none is stated."""
        if self.percent is not None:
            return round(self.percent / 100, 12)
        total = self.total or lines
        return self.count / total if self.count is not None and total and self.count <= total else None


def number(text: str) -> float | None:
    """`text` as a number, with or without thousands separators; None for anything else."""
    stripped = text.strip()
    value = to_float(stripped) if NUMBER.fullmatch(stripped) else None
    return value if value is not None and math.isfinite(value) else None


def to_float(text: str) -> float:
    """A matched number's value."""
    return float(text.replace(",", ""))


def decimals(text: str) -> int:
    """The number of digits after the decimal point."""
    return len(text.partition(".")[2])


def setting(text: str) -> Json:
    """The value of a setting, without remarks and symbols; of an arrow the last side.

    None where the text says that it is not set.

    >>> setting("ko (→ ko_KR)"), setting("20  # small, it is large"), setting("(なし)")
    ('ko_KR', 20, None)
    """
    kept = _ARROW.split(_REMARK.sub("", _COMMENT.sub("", text)).strip())[-1]
    kept = _SYMBOLS.split(kept.lstrip(_LEADING))[0].strip().strip("'\"`,;")
    kept = kept.rstrip("(（ ")
    if kept.endswith((")", "）")) and not re.search("[(（]", kept):
        kept = kept[:-1]  # the arrow was in brackets
    return None if not kept or UNSET.fullmatch(kept) else _scalar(kept)


def _scalar(text: str) -> Json:
    note = _NOTE.search(text)
    bare = _NOTE.sub("", text).strip().strip("'\"") or text
    value = number(bare)
    if value is not None:
        is_whole = value.is_integer() and "." not in bare and "e" not in bare.lower()
        return int(value) if is_whole else value
    if bare.lower() in ("true", "false"):
        return bare.lower() == "true"
    # A single word in brackets is part of a name: `ko (kor_Hang)`; anything longer is a remark.
    return text.strip() if note and _IDENTIFIER.fullmatch(note["note"]) else bare


def seconds(text: str) -> float | None:
    """A duration such as `9分13秒`, `1 h 20 min`, `53 s`; None for a range or no duration."""
    before = re.split(r"[(（]", text)[0]
    if re.search(r"\d\s*[-–~〜]\s*\d", before):
        return None
    parts = _DURATION.findall(before)
    return sum(float(value) * _UNITS[unit[0].lower()] for value, unit in parts) if parts else number(before)


def part(text: str) -> WrittenShare | None:
    """The share that `text` states: `175件（17.5%）`, `11.9% (119/1000)`, `118 of 1,000 lines`, `0件`.

    None where it states none, or only roughly.
    """
    text = _last_of_change(_REMARK.sub("", text))
    if _RANGE.search(text):
        return None
    percent, of, count = _PERCENT.search(text), _OF.search(text), _COUNT.search(text)
    if APPROXIMATE.search(text) or not (percent or of or count):
        return None
    return WrittenShare(
        percent=float(percent["value"]) if percent else None,
        decimals=len(percent["decimals"] or "") if percent else 0,
        count=to_float(of["count"]) if of else to_float(count["count"]) if count else None,
        total=to_float(of["total"]) if of else None,
    )


def _last_of_change(text: str) -> str:
    """The new share after an arrow: 11.9% in `9% → 11.9%`."""
    *_, last = _CHANGE.split(text)
    return last
