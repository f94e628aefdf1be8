"""Statements of a log that are not values: outcomes, names, identical outputs, steps, other data."""

import re
from collections.abc import Iterator, Sequence

from ledger.evidence.imported_claims import (
    Naming,
    OtherData,
    Outcome,
    Result,
    SameOutput,
    Statement,
    StepMention,
)
from ledger.importers.markdown_log.attribution import LineContext, experiments_in, mentioned_others
from ledger.importers.markdown_log.outline import Line
from ledger.importers.markdown_log.statements import Placed, rate_of
from ledger.importers.markdown_log.values import part, to_float
from ledger.importers.markdown_log.vocabulary import (
    ATTEMPT,
    CHECKPOINT,
    CRASH,
    DULL,
    EVALUATED,
    EXPERIMENT,
    FAILED,
    FUTURE,
    NOT_RUN,
    NOT_SAME,
    OF_ANOTHER,
    OTHER_DATA,
    RESULTS,
    RESUMED,
    RETRIED,
    RUNNING,
    SAME_OUTPUT,
    SKIPPED,
    STEP,
    SUCCEEDED,
    SUPPOSED,
)

_AT_STEP = re.compile(
    r"\b(?:at|by|after|from) step (\d[\d,]{0,14})|(?:step|ステップ)\s*(\d[\d,]{0,14})\s*(?:で|の時点)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[a-z][a-z0-9.+]*|[ァ-ヶー]{2,}|[一-龥]+|[가-힣]{2,}", re.IGNORECASE)


def results(placed: Sequence[Placed]) -> Iterator[Result]:
    """The outcomes of each experiment: from headings, result lines, errors and counts of lines done."""
    opened: set[int] = set()
    retried = _retried(placed)
    for one in placed:
        line, place = one.line, one.place
        for experiment in place.experiments:
            for outcome in _outcomes(line, place, line.block in opened or len(place.experiments) > 1):
                scope = place.scope or (line.labelled[0] if ATTEMPT.search(line.labelled[0]) else "")
                is_over = retried.get((experiment, place.scope), 0) >= line.number
                if not (outcome == "not run" and is_over):
                    yield Result(experiment, scope, outcome, line.text.strip()[:120], line.number)
        yield from _listed_outcomes(line, place)
        opened = {line.block + 1} if line.kind == "heading" and RESULTS.search(line.text) else set()


def _listed_outcomes(line: Line, place: LineContext) -> Iterator[Result]:
    """Outcomes such as `Version 57: still running` in a list about several experiments."""
    label, value = line.labelled
    named = EXPERIMENT.fullmatch(label) if label and not place.experiments and place.is_done else None
    outcome = classify(value) if named else None
    if outcome:
        for experiment in experiments_in(label):
            yield Result(experiment, "", outcome, line.text.strip()[:120], line.number)


def _retried(placed: Sequence[Placed]) -> dict[tuple[str, str], int]:
    """The last line of each experiment and scope that reports a retry; earlier failures no longer count."""
    return {
        (experiment, one.place.scope): one.line.number
        for one in placed
        for experiment in one.place.experiments
        if one.place.is_done and RETRIED.search(one.line.text)
    }


def _outcomes(line: Line, place: LineContext, is_result: bool) -> Iterator[Outcome]:
    label, value = line.labelled
    if line.kind == "heading":
        ending = _ending(line.text) if experiments_in(line.text) == place.experiments else ""
        if ending and (outcome := classify(ending)):
            yield outcome
        return
    if not place.is_done or place.planned:
        return
    if label and RESULTS.search(label):
        if outcome := classify(value):
            yield outcome
    elif (
        is_result
        and line.kind != "code"
        and not experiments_in(line.text)
        and (outcome := classify(line.text))
    ):
        yield outcome
    elif RUNNING.search(line.text) and len(line.text) <= 20:
        yield "running"
    is_fact = not SUPPOSED.search(line.text) and not mentioned_others(line, place.experiments)
    if NOT_RUN.search(line.text) and is_fact:
        yield "not run"
    done = part(value) if label and rate_of(label) == "done" else None
    if done and done.total and done.count == done.total:
        yield "completed"


def classify(text: str) -> Outcome | None:
    """The outcome that a result line states, by its first matching word."""
    table: tuple[tuple[Outcome, re.Pattern[str]], ...] = (
        ("succeeded", SUCCEEDED),
        ("failed", FAILED),
        ("skipped", SKIPPED),
        ("running", RUNNING),
    )
    found = [(match.start(), outcome) for outcome, pattern in table if (match := pattern.search(text))]
    return min(found)[1] if found else None


def _ending(heading: str) -> str:
    """The outcome at the end of a heading: `… (failed)`, `Experiment 2: skipped`."""
    brackets = re.search(r"[(（]([^()（）]*)[)）]\s*$", heading)
    title = _title(heading)
    return brackets[1] if brackets and len(brackets[1]) <= 20 else title if len(title.split()) <= 1 else ""


def namings(placed: Sequence[Placed], stated: Sequence[Statement]) -> Iterator[Naming]:
    """The headings that begin with the name of one experiment, with the title that they give it."""
    for one in placed:
        heading, place = one.line, one.place
        match = EXPERIMENT.match(heading.text)
        is_opening = match is not None and experiments_in(heading.text) == place.experiments
        if heading.kind != "heading" or not is_opening or not place.experiment:
            continue
        end = next(
            (
                o.line.number
                for o in placed
                if o.line.kind == "heading"
                and o.line.number > heading.number
                and len(o.line.headings) <= len(heading.headings)
            ),
            10**9,
        )
        models = {
            str(s.value).lower()
            for s in stated
            if s.key == "model"
            and heading.number < s.line < end
            and s.experiment == place.experiment
            and s.value
        }
        title = _title(heading.text)
        yield Naming(
            place.experiment, title, words_of(title), frozenset(models), place.planned, heading.number
        )


def words_of(title: str) -> frozenset[str]:
    """The words of a title that distinguish experiments: not dates, numbers and words such as `results`."""
    return frozenset(
        word for word in map(str.lower, _WORD.findall(title)) if word not in DULL and len(word) > 1
    )


def _title(heading: str) -> str:
    match = EXPERIMENT.search(heading)
    rest = heading[match.end() :] if match else heading
    title = re.sub(r"[(（]?\d{4}-\d{2}-\d{2}[^)）]*[)）]?", "", rest).strip(" :：-–—")
    return title if re.search("[(（]", title) else title.strip(")）").strip()


def identities(placed: Sequence[Placed]) -> Iterator[SameOutput]:
    """Lines that state that the outputs of two experiments are identical."""
    for one in placed:
        text = one.line.text
        if (
            one.line.kind == "row"
            or not SAME_OUTPUT.search(text)
            or NOT_SAME.search(text)
            or one.place.planned
        ):
            continue
        named = experiments_in(text)
        own = one.place.experiment or (named[0] if len(named) > 1 else "")
        for other in named:
            if own and other != own:
                yield SameOutput(own, other, one.line.number)


def steps(placed: Sequence[Placed]) -> Iterator[StepMention]:
    """Steps of crashes, checkpoints and measurements; those of resumed runs are left out."""
    resumed = {
        (o.place.experiment, o.place.scope) for o in placed if RESUMED.search(o.line.text) and o.place.is_done
    }
    for one in placed:
        place, text = one.place, one.line.text
        is_own = place.experiment and place.is_done and not place.planned and not SUPPOSED.search(text)
        if not is_own or (place.experiment, place.scope) in resumed:
            continue
        crashed = STEP.search(text) if CRASH.search(text) else None
        if crashed is None and (OF_ANOTHER.search(text) or mentioned_others(one.line, place.experiments)):
            continue
        for match in [crashed] if crashed else [*CHECKPOINT.finditer(text), *_AT_STEP.finditer(text)]:
            step = int(to_float(next(group for group in match.groups() if group)))
            is_crash = crashed is not None
            yield StepMention(place.experiment, place.scope, step, is_crash, text[:120], one.line.number)


def other_data(placed: Sequence[Placed]) -> Iterator[OtherData]:
    """Lines that say that an experiment used different data."""
    for one in placed:
        place, text = one.place, one.line.text
        if not place.experiment or place.planned or any(FUTURE.search(part) for part in one.line.context[1:]):
            continue
        if OTHER_DATA.search(text) and not EVALUATED.search(text):
            others = mentioned_others(one.line, place.experiments)
            yield OtherData(place.experiment, others[0] if others else None, one.line.number)
