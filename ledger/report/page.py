"""The content of a report as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from ledger.evaluation.comparison import Comparison
from ledger.evidence import Unobserved
from ledger.evidence.suspects import Suspect
from ledger.findings import Json
from ledger.journal.annotations import Decision, Note, Rating
from ledger.journal.run import CheckpointRow, Run

Kind = Literal["failed", "unverified", "identical", "drifted", "stalled"]
KINDS: tuple[Kind, ...] = get_args(Kind)  # the most urgent first


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A run without an end. `minutes` is the time since it last wrote; None if its folder is gone."""

    state: Literal["running", "stalled", "interrupted"]
    minutes: float | None


@dataclass(frozen=True, slots=True)
class Attention:
    """One reason to look at a run. `template` names a sentence in the page's words; `facts` fill it in."""

    kind: Kind
    run: str
    template: str
    command: str
    facts: Mapping[str, Json] = field(default_factory=dict)

    def sentence(self, words: Mapping[str, str]) -> str:
        """The reason in one sentence; messages of guards stay in English."""
        text = words[self.template].format(**self.facts)
        return text if text.endswith((".", "。", "…", "!", "?", "）", ")")) else f"{text}."


@dataclass(frozen=True, slots=True)
class TextPart:
    """A part of a line; `code` is the guard that flagged it, or empty."""

    text: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class SampleLine:
    """One line of an output, with the parts that guards flagged, and what it should have been if known."""

    number: int
    source: str | None
    output: tuple[TextPart, ...]
    codes: tuple[str, ...]
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Samples:
    """The flagged lines of one run and a few ordinary ones, or the reason why they are not available."""

    run: str
    lines: tuple[SampleLine, ...] | Unobserved


@dataclass(frozen=True, slots=True)
class Curve:
    """The checkpoints of one training, in order of the steps."""

    run: str
    checkpoints: tuple[CheckpointRow, ...]


Steps = tuple[tuple[int, float], ...]  # a series: steps with their values


@dataclass(frozen=True, slots=True)
class CurveMark:
    """A finding of a guard, to mark on a curve at its steps."""

    code: str
    severity: str
    steps: tuple[int, ...]
    message: str

    @property
    def at(self) -> str:
        """The steps as text."""
        return ", ".join(f"{step:,}" for step in self.steps)


@dataclass(frozen=True, slots=True)
class TrainingCurve:
    """The logged series of one training (`loss`, `eval_loss`, `grad_norm`), each by step, and its marks."""

    run: str
    series: Mapping[str, Steps]
    marks: tuple[CurveMark, ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the marks, each once."""
        return tuple(dict.fromkeys(mark.code for mark in self.marks))


@dataclass(frozen=True, slots=True)
class ExperimentPage:
    """One experiment and its runs, oldest first."""

    name: str
    title: str
    runs: tuple[Run, ...]
    decision: Decision | None = None

    @property
    def latest(self) -> Run | None:
        """The last real run, else the last rehearsal."""
        real = [run for run in self.runs if not run.is_rehearsal]
        return next(reversed(real or self.runs), None)


@dataclass(frozen=True, slots=True)
class CorrelationTable:
    """The correlation of each time frame in one run and in its parent; None if it is undefined.

    `improved` of `of` members are better than in the run `parent`, if there is one.
    """

    run: str
    values: Mapping[str, float | None]
    before: Mapping[str, float | None]
    parent: str | None = None
    improved: int = 0
    of: int = 0


@dataclass(frozen=True, slots=True)
class RunChange:
    """The differences of environment and settings between two runs, most suspicious first."""

    before: str
    after: str
    suspects: tuple[Suspect, ...]


@dataclass(frozen=True, slots=True)
class RunView:
    """Everything about one run. `drift`: what changed since its experiment's last good run."""

    run: Run
    attention: tuple[Attention, ...] = ()
    drift: RunChange | None = None
    files: Mapping[str, Json] = field(default_factory=dict)
    training: TrainingCurve | None = None
    curve: Curve | None = None
    samples: Samples | None = None
    notes: tuple[Note, ...] = ()
    ratings: tuple[Rating, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """The whole report. `made` is its time (UTC); `runs` are the newest of `total`, oldest first, `views` the
    same, newest first; `rates` holds each run's rates (0-1) by guard code; `attention` is about the latest
    run of each experiment, the most urgent first."""

    repository: str
    made: str
    experiments: tuple[ExperimentPage, ...]
    runs: tuple[Run, ...]
    rates: Mapping[str, Mapping[str, float]]
    total: int = 0
    attention: tuple[Attention, ...] = ()
    views: tuple[RunView, ...] = ()
    families: tuple[CorrelationTable, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    notes: tuple[Note, ...] = ()
    ratings: tuple[Rating, ...] = ()
