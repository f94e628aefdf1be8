"""One claimed run for each experiment of a log, even if several sections are about it."""

import re
from collections.abc import Iterable, Mapping, Sequence

from ledger.evidence.imported_claims import ClaimedRun, Naming, Outcome, Result, Statement, WrittenLog
from ledger.findings import Json
from ledger.importers.markdown_log.attribution import SCOPES, experiments_in
from ledger.importers.markdown_log.statements import Placed
from ledger.importers.markdown_log.vocabulary import FILE, FINAL, KEYS, PHASE, first_name

_FACTS = ("time", "data", "output", "verdict", "seconds", "train_size", "lines", "throughput")
_MODEL_LIKE = re.compile(r"[A-Za-z][\w.]*(?:-[\w.]+)*\d[\w.-]*")
_VALUES = ("setting", "size", "steps", "seconds", "throughput", "epochs")
_SETTLED: tuple[Outcome, ...] = ("succeeded", "failed", "skipped", "running")


def claimed_runs(log: WrittenLog, placed: Sequence[Placed]) -> tuple[ClaimedRun, ...]:
    """The runs, in order of their numbers."""
    headed = (e for one in placed if one.line.kind == "heading" for e in one.place.experiments)
    names = dict.fromkeys([*headed, *(s.experiment for s in log.statements)])
    return tuple(_run(name, log, placed) for name in sorted(names, key=_in_order))


def _is_own(scope: str) -> bool:
    """Whether `scope` is a part of the experiment (a phase, a file, its final state), not an attempt."""
    parts = scope.split(SCOPES)
    return all(not part or FINAL.search(part) or PHASE.search(part) or FILE.search(part) for part in parts)


def _in_order(name: str) -> tuple[str, int]:
    letters = name.rstrip("0123456789")
    return letters, int(name[len(letters) :])


def _run(name: str, log: WrittenLog, placed: Sequence[Placed]) -> ClaimedRun:
    stated = [one for one in log.statements if one.experiment == name]
    headings = [
        one.line.number
        for one in placed
        if one.line.kind == "heading"
        and name in one.place.experiments
        and one.line.text == one.line.headings[-1]
        and _opens(one, name)
    ]
    named = [one for one in log.namings if one.experiment == name]
    title = _title(named)
    own = [one for one in stated if _is_own(one.scope)]
    values = {**_agreed(stated), **_latest(own)}
    model = values.pop("model", None) or _model_of(title)
    return ClaimedRun(
        experiment=name,
        key=name,
        title=title,
        outcome=_outcome([one for one in log.results if one.experiment == name], named),
        model=model if isinstance(model, str) else None,
        params={key: value for key, value in values.items() if key not in _FACTS},
        metrics=_scores(stated),
        rates=_rates(stated),
        facts=_facts(name, values, stated, log, placed),
        where=_lines(headings),
    )


def _opens(one: Placed, name: str) -> bool:
    return name in experiments_in(one.line.text)


def _title(named: Sequence[Naming]) -> str:
    done = [one.title for one in named if not one.planned and one.words]
    planned = [one.title for one in named if one.words]
    return (done or planned or [""])[0]


def _model_of(title: str) -> str | None:
    found = _MODEL_LIKE.search(title)
    return found[0] if found else None


def _outcome(found: Sequence[Result], named: Sequence[Naming]) -> Outcome | None:
    """The last definite outcome; `planned` only if nothing else is stated."""
    settled = [one.outcome for one in found if one.outcome in _SETTLED] or [one.outcome for one in found]
    return settled[-1] if settled else "planned" if named and all(one.planned for one in named) else None


def _latest(stated: Iterable[Statement]) -> dict[str, Json]:
    """Settings and facts by name; the last value counts."""
    return {one.key: one.value for one in stated if one.kind in _VALUES}


def _agreed(stated: Sequence[Statement]) -> dict[str, Json]:
    """Values that at least two attempts (or the only one) state, without contradiction."""
    least = min(2, len({one.scope for one in stated if one.scope}))
    found: dict[str, list[Statement]] = {}
    for one in stated:
        if one.scope and one.kind in _VALUES:
            found.setdefault(one.key, []).append(one)
    return {
        key: group[0].value
        for key, group in found.items()
        if len({one.scope for one in group}) >= least and all(one.value == group[0].value for one in group)
    }


def _rates(stated: Iterable[Statement]) -> dict[str, float]:
    """The shares by quantity; the experiment's own section takes precedence over tables."""
    rates = [one for one in stated if one.kind == "rate" and isinstance(one.value, float)]
    return {
        **{one.key: one.value for one in rates if one.column},
        **{one.key: one.value for one in reversed(rates) if not one.column},
    }


def _scores(stated: Iterable[Statement]) -> dict[str, float]:
    """The scores that the experiment's own lines state with a single value; `facts.scores` has all."""
    found: dict[str, set[float]] = {}
    for one in stated:
        if one.kind == "score" and not one.scope:
            found.setdefault(one.key, set()).add(one.value)
    return {key: next(iter(values)) for key, values in found.items() if len(values) == 1}


def _facts(
    name: str,
    values: Mapping[str, Json],
    stated: Sequence[Statement],
    log: WrittenLog,
    placed: Sequence[Placed],
) -> dict[str, Json]:
    facts: dict[str, Json] = {key: values[key] for key in _FACTS if key in values}
    roughly = {one.key: one.text for one in stated if one.kind == "roughly"}
    scored = dict.fromkeys((one.key, one.value, one.scope) for one in stated if one.kind == "score")
    scores = [{"name": name, "value": value, "of": scope} for name, value, scope in scored]
    attempts = {
        scope: _latest(one for one in stated if one.scope == scope)
        for scope in dict.fromkeys(one.scope for one in stated if one.scope)
    }
    same = [one.other for one in log.identities if one.experiment == name]
    same += [one.experiment for one in log.identities if one.other == name]
    others = {
        "roughly": roughly,
        "scores": scores,
        "attempts": attempts,
        "same_output_as": list(dict.fromkeys(same)),
        "conclusions": _conclusions(name, placed),
        "why": _why(name, placed),
    }
    facts |= {key: value for key, value in others.items() if value}
    return facts


def _conclusions(name: str, placed: Sequence[Placed]) -> list[str]:
    """The lines under a heading or label for conclusions."""
    conclusions = (
        one.line.text.strip()
        for one in placed
        if one.place.experiment == name
        and one.line.kind in ("text", "item")
        and any(first_name(KEYS, part) == "verdict" for part in (one.line.headings[-1], one.line.label))
    )
    return list(dict.fromkeys(conclusions))  # repeated sections count once


def _why(name: str, placed: Sequence[Placed]) -> str:
    """What a section about several experiments says about this one."""
    reasons = (
        one.line.labelled[1] or one.line.text
        for one in placed
        if len(one.place.experiments) > 1
        and one.line.kind != "heading"
        and experiments_in(one.line.text) == (name,)
    )
    return " ".join(reasons)


def _lines(numbers: Sequence[int]) -> str:
    return f"line{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}" if numbers else ""
