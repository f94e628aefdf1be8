"""What a log says that is no value of a key: how things ended, what is the same as what, counts and means."""

import re
from collections.abc import Iterator, Mapping, Sequence

from ledger.claims import Mean, Naming, OtherData, Outcome, Result, SameOutput, Share, Statement, StepMention
from ledger.importers.markdown_log.outline import Line
from ledger.importers.markdown_log.places import Place, experiments_in, mentioned_others
from ledger.importers.markdown_log.statements import Placed, rate_of
from ledger.importers.markdown_log.values import decimals, part, to_float
from ledger.importers.markdown_log.words import (
    ATTEMPT,
    CHECKPOINT,
    CRASH,
    EXPERIMENT,
    FAILED,
    FUTURE,
    MEAN,
    NOT_RUN,
    NOT_SAME,
    OTHER_DATA,
    RESULTS,
    RESUMED,
    RUNNING,
    SAME_OUTPUT,
    SKIPPED,
    STEP,
    SUCCEEDED,
)

_N, _P = r"\d[\d,]*", r"[-+]?\d+(?:\.\d+)?"
_UNIT = r"(?:件|行|文|lines?|sentences?|samples?|segments?|outputs?|translations?)"
_SHARES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?P<percent>{_P})\s*%\s*[(（]\s*(?P<count>{_N})\s*(?:/|of|out of)\s*(?P<total>{_N})",
        rf"(?P<count>{_N})\s*(?:/|of(?: the)?|out of)\s*(?P<total>{_N})\s*[^\d%\n]{{0,30}}[,(（]\s*(?P<percent>{_P})\s*%",
        rf"(?P<count>{_N})\s*(?:vs\.?|対)\s*[^\d\s]*\s*(?P<total>{_N})\s*[(（]\s*(?P<percent>{_P})\s*%",
        rf"(?P<count>{_N})\s*{_UNIT}\s*[(（]\s*(?P<percent>{_P})\s*%",
        rf"(?P<percent>{_P})\s*%\s*[(（]\s*(?P<count>{_N})\s*{_UNIT}",
    )
)
_LABELLED_NUMBER = re.compile(
    r"\s*(?P<label>[^:：=]{1,40}?)\s*[:：=]\s*(?P<value>[-+]?\d+(?:\.\d+)?)\s*[^\w\s%.,/(（]*\s*"
)
_AT_STEP = re.compile(
    r"\b(?:at|by|after|from) step (\d[\d,]*)|(?:step|ステップ)\s*(\d[\d,]*)\s*(?:で|の時点)", re.IGNORECASE
)
_WORD = re.compile(r"[a-z][a-z0-9.+]*|[ァ-ヶー]{2,}|[一-龥]+|[가-힣]{2,}", re.IGNORECASE)
_DULL = set(
    "the a an of and with for to in on at vs from by or results result settings setting setup details notes analysis "
    "evaluation run rerun again experiment exp first second new old plan planned done skipped failed failure success "
    "succeeded running status update 結果 設定 実験 詳細 失敗 成功 再 確認 再確認 実行中 分析 評価 追加 スキップ".split()
)
_LEAST_VALUES = 3  # of which a mean is worth working out


def shares(placed: Sequence[Placed], lines: Mapping[str, float]) -> Iterator[Share]:
    """Counts beside their percentages. Where no total is stated it is the experiment's number of lines."""
    for one in placed:
        label = one.line.labelled[0] or one.line.text
        for pattern in _SHARES:
            match = pattern.search(one.line.text)
            if match is None:
                continue
            stated = match.groupdict().get("total")
            total = (
                to_float(stated) if stated else lines.get(one.place.experiment) if rate_of(label) else None
            )
            if total:
                percent = match["percent"]
                yield Share(
                    one.place.experiment, label[:60], to_float(match["count"]), total, float(percent),
                    decimals(percent), one.line.number,
                )  # fmt: skip
            break


def means(placed: Sequence[Placed]) -> Iterator[Mean]:
    """A stated mean after three or more values of one kind: same list, same number of decimals, same subject."""
    values: list[str] = []
    intro, block = "", -1
    for one in placed:
        line = one.line
        match = None if line.kind in ("heading", "row") else _LABELLED_NUMBER.fullmatch(line.text)
        if match is None:
            values, intro = [], line.text
        elif MEAN.search(match["label"]):
            subject = MEAN.sub("", match["label"]).strip().lower()
            about = f"{intro} {line.label} {' '.join(line.headings)}".lower()
            if len(values) >= _LEAST_VALUES and line.block - block <= 1 and (not subject or subject in about):
                numbers = tuple(map(float, values))
                yield Mean(
                    one.place.experiment, match["label"], float(match["value"]), numbers,
                    decimals(match["value"]), line.number,
                )  # fmt: skip
            values = []
        else:
            is_kin = values and decimals(values[-1]) == decimals(match["value"]) and line.block == block
            values = (
                [*values, match["value"]] if is_kin else [match["value"]] if "." in match["value"] else []
            )
            block = line.block


def results(placed: Sequence[Placed]) -> Iterator[Result]:
    """How each experiment ended, by its headings, result lines, error messages and counts of what was done."""
    opened: set[int] = set()
    for one in placed:
        line, place = one.line, one.place
        for experiment in place.experiments:
            for outcome in _outcomes(line, place, line.block in opened or len(place.experiments) > 1):
                scope = place.scope or (line.labelled[0] if ATTEMPT.search(line.labelled[0]) else "")
                yield Result(experiment, scope, outcome, line.text.strip()[:120], line.number)
        opened = {line.block + 1} if line.kind == "heading" and RESULTS.search(line.text) else set()


def _outcomes(line: Line, place: Place, is_result: bool) -> Iterator[Outcome]:
    label, value = line.labelled
    if line.kind == "heading":
        ending = _ending(line.text) if experiments_in(line.text) == place.experiments else ""
        if ending and (outcome := classify(ending)):
            yield outcome
        return
    if not place.told or place.planned:
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
    if NOT_RUN.search(line.text) and not mentioned_others(line, place.experiments):
        yield "not run"
    done = part(value) if label and rate_of(label) == "done" else None
    if done and done.total and done.count == done.total:
        yield "completed"


def classify(text: str) -> Outcome | None:
    """The outcome that a result line states; the word that stands first decides."""
    table: tuple[tuple[Outcome, re.Pattern[str]], ...] = (
        ("succeeded", SUCCEEDED), ("failed", FAILED), ("skipped", SKIPPED), ("running", RUNNING),
    )  # fmt: skip
    found = [(match.start(), outcome) for outcome, pattern in table if (match := pattern.search(text))]
    return min(found)[1] if found else None


def _ending(heading: str) -> str:
    """What a heading says at its end of how it went: `… (failed)`, `Experiment 2: skipped`."""
    brackets = re.search(r"[(（]([^()（）]*)[)）]\s*$", heading)
    title = _title(heading)
    return brackets[1] if brackets and len(brackets[1]) <= 20 else title if len(title.split()) <= 1 else ""


def namings(placed: Sequence[Placed], stated: Sequence[Statement]) -> Iterator[Naming]:
    """The headings that begin with the name of one experiment, each with what it calls it."""
    for one in placed:
        heading, place = one.line, one.place
        match = EXPERIMENT.match(heading.text)
        is_opening = match is not None and experiments_in(heading.text) == place.experiments
        if heading.kind != "heading" or not is_opening or not place.experiment:
            continue
        end = next((o.line.number for o in placed if o.line.kind == "heading" and o.line.number > heading.number
                    and len(o.line.headings) <= len(heading.headings)), 10**9)  # fmt: skip
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
    """The words of a title that tell experiments apart: dates, numbers and words such as `results` do not."""
    return frozenset(
        word for word in map(str.lower, _WORD.findall(title)) if word not in _DULL and len(word) > 1
    )


def _title(heading: str) -> str:
    match = EXPERIMENT.search(heading)
    rest = heading[match.end() :] if match else heading
    title = re.sub(r"[(（]?\d{4}-\d{2}-\d{2}[^)）]*[)）]?", "", rest).strip(" :：-–—")
    return title if re.search("[(（]", title) else title.strip(")）").strip()


def identities(placed: Sequence[Placed]) -> Iterator[SameOutput]:
    """Lines that say that one experiment's output is another's."""
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
    """Steps of crashes, and of checkpoints and measurements. A run that was resumed has no last step here."""
    resumed = {
        (o.place.experiment, o.place.scope) for o in placed if RESUMED.search(o.line.text) and o.place.told
    }
    for one in placed:
        place, text = one.place, one.line.text
        if (
            not place.experiment
            or not place.told
            or place.planned
            or (place.experiment, place.scope) in resumed
        ):
            continue
        crashed = STEP.search(text) if CRASH.search(text) else None
        mentions = [crashed] if crashed else [*CHECKPOINT.finditer(text), *_AT_STEP.finditer(text)]
        for match in mentions:
            step = next(group for group in match.groups() if group)
            yield StepMention(
                place.experiment,
                place.scope,
                int(to_float(step)),
                crashed is not None,
                text[:120],
                one.line.number,
            )


def other_data(placed: Sequence[Placed]) -> Iterator[OtherData]:
    """Lines that call an experiment's data different."""
    for one in placed:
        place, text = one.place, one.line.text
        if not place.experiment or place.planned or any(FUTURE.search(part) for part in one.line.context[1:]):
            continue
        if OTHER_DATA.search(text):
            others = mentioned_others(one.line, place.experiments)
            yield OtherData(place.experiment, others[0] if others else None, one.line.number)
