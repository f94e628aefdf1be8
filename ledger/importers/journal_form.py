"""Claims in the form of the journal: plain JSON of bounded size, without secrets, series summarized."""

import math
from collections.abc import Mapping, Sequence

from ledger.evidence.imported_claims import ClaimedRun, Point
from ledger.findings import Json
from ledger.utils.json_values import finite_or_name
from ledger.utils.redaction import HIDDEN, scrub_arguments, scrub_text
from ledger.utils.text import shorten

MOST_TEXT = 2_000  # characters of one value
MOST_ITEMS = 500  # of one list or mapping
MOST_DEPTH = 12
_LARGEST = 2**53  # beyond it JSON readers differ (RFC 8785)


def claims_of(run: ClaimedRun) -> dict[str, Json]:
    """The claims of a run for an entry's body; empty ones are left out."""
    claims = {
        "title": run.title,
        "outcome": run.outcome,
        "model": run.model,
        "params": run.params,
        "metrics": run.metrics,
        "rates": run.rates,
        "series": {name: _summary(points) for name, points in run.series.items() if points},
        "environment": run.environment,
        "facts": run.facts,
    }
    return {name: plain(value) for name, value in claims.items() if value not in (None, "", {}, [])}


def plain(value: Json, depth: int = 0) -> Json:
    """`value` as canonical JSON: what JSON cannot represent becomes text, what is too long is cut."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) < _LARGEST else str(value)
    if isinstance(value, float):
        return finite_or_name(value)
    if isinstance(value, Mapping) and depth < MOST_DEPTH:
        return _cut_mapping({_text(str(key)): _member(str(key), one, depth) for key, one in value.items()})
    if isinstance(value, Sequence) and not isinstance(value, str | bytes) and depth < MOST_DEPTH:
        items = [plain(one, depth + 1) for one in value[:MOST_ITEMS]]
        return items if len(value) <= MOST_ITEMS else [*items, f"… {len(value) - MOST_ITEMS:,} more"]
    return _text(str(value))


def _member(key: str, value: Json, depth: int) -> Json:
    leaf = key.rpartition(".")[2]
    is_secret = isinstance(value, str) and scrub_arguments([f"{leaf}={value}"])[0].endswith(f"={HIDDEN}")
    return HIDDEN if is_secret else plain(value, depth + 1)


def _cut_mapping(content: dict[str, Json]) -> dict[str, Json]:
    if len(content) <= MOST_ITEMS:
        return content
    return {**dict(list(content.items())[:MOST_ITEMS]), "…": f"{len(content) - MOST_ITEMS:,} more"}


def _text(text: str) -> str:
    """Without secrets and unpaired surrogates, and cut to `MOST_TEXT` characters."""
    sound = scrub_text(text[: 2 * MOST_TEXT]).encode("utf-8", "replace").decode("utf-8")
    return shorten(sound, MOST_TEXT + 1)


def _summary(points: Sequence[Point]) -> dict[str, Json]:
    values = [point.value for point in points]
    finite = [value for value in values if math.isfinite(value)]
    summary = {
        "points": len(points),
        "first": values[0],
        "last": values[-1],
        "min": min(finite, default=None),
        "max": max(finite, default=None),
        "last_step": points[-1].step,
    }
    lost = len(values) - len(finite)
    return {**summary, "not_finite": lost} if lost else summary
