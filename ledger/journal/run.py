"""One run as the journal records it. Typed accessors read entries of every released schema.

Nothing here reads a file: `ledger.journal.runs` builds the runs from a journal's entries.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from ledger.evidence.metrics import Metric
from ledger.findings import Json, Report, Verdict

if TYPE_CHECKING:
    from ledger.evidence.identity import RunIdentity, TrainingIdentity

# `claimed`: imported from another tool's record. Nothing was observed, so it has no verdict.
Status = Literal["running", "interrupted", "finished", "failed", "claimed"]


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A finding that somebody accepted, and why."""

    code: str
    why: str
    who: str
    time: str


@dataclass(frozen=True, slots=True)
class RecordedReproduction:
    """One reproduction of a run. `result`: identical, within tolerance or different; `body`: as recorded."""

    result: str
    time: str
    body: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """A file or folder that a run read or wrote. `path` is relative to the repository where it lies inside.

    Digests are hexadecimal, without the algorithm's name. None: the entry does not state it.
    """

    path: str
    sha256: str | None = None
    md5: str | None = None
    lines: int | None = None

    @classmethod
    def from_json(cls, facts: Mapping[str, Json]) -> "RecordedFile":
        """The facts of a file as an entry holds them."""
        return cls(str(facts.get("path") or ""), facts.get("sha256"), facts.get("md5"), facts.get("lines"))

    @property
    def digests(self) -> dict[str, str]:
        """The recorded digests by algorithm."""
        known = {"md5": self.md5, "sha256": self.sha256}
        return {name: digest for name, digest in known.items() if digest is not None}


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    """A checkpoint that a training saved. `memory` and `reloaded`: BLEU (0-100) of the same lines before
    saving and after reloading; None where there was no text. `tensors`: the digest of its weights."""

    step: int
    path: str
    verdict: Verdict
    memory: float | None = None
    reloaded: float | None = None
    tensors: str | None = None

    @classmethod
    def from_json(cls, row: Mapping[str, Json]) -> "CheckpointRow":
        """A row of a `run.finished` entry."""
        return cls(
            step=row["step"],
            path=str(row.get("path") or ""),
            verdict=Verdict(row.get("verdict") or Verdict.INCONCLUSIVE),
            memory=row.get("memory"),
            reloaded=row.get("reloaded"),
            tensors=row.get("tensors"),
        )


@dataclass(frozen=True, slots=True)
class Run:
    """One run. `time` is when it first started (UTC); for an imported run, when it was imported.

    `started` and `finished` are the bodies of its latest entries of these kinds, since a resumed run starts
    more than once; for an imported run, `started` is the body of its latest import. Read them through the
    properties, which supply a default for whatever an older entry lacks.
    """

    id: str
    experiment: str
    mode: str
    time: str
    status: Status
    started: Mapping[str, Json]
    finished: Mapping[str, Json] | None
    acceptances: tuple[Acceptance, ...] = ()
    entries: tuple[str, ...] = ()
    reproductions: tuple[RecordedReproduction, ...] = ()

    @property
    def result(self) -> Mapping[str, Json]:
        """The body of its `run.finished` entry; empty before there is one."""
        return self.finished or {}

    @property
    def is_rehearsal(self) -> bool:
        """Whether it was a rehearsal: its result says nothing about the real model."""
        return self.mode == "rehearsal"

    @property
    def is_training(self) -> bool:
        """Whether it trained a model by a spec."""
        return self.task in ("training", "forecasting")

    # What was known before it started.

    @property
    def title(self) -> str | None:
        """The title that its spec gave it."""
        return self.started.get("title")

    @property
    def spec(self) -> Mapping[str, Json]:
        """The digested part of the resolved spec; empty for a recorded command."""
        return self.started.get("spec") or {}

    @property
    def spec_digest(self) -> str | None:
        """The digest of `spec`."""
        return self.started.get("spec_digest")

    @property
    def task(self) -> str | None:
        """The task of its spec; None without a spec."""
        return self.spec.get("task")

    @property
    def target_language(self) -> str | None:
        """The language of its output, by its spec; None where no spec states one."""
        language = (self.spec.get("languages") or {}).get("target")
        return None if language is None else str(language)

    @property
    def lockfile_name(self) -> str | None:
        """The environment that its spec names."""
        return self.spec.get("environment")

    @property
    def overrides(self) -> tuple[str, ...]:
        """The `--set KEY=VALUE` that it was started with."""
        return tuple(self.started.get("overrides") or ())

    @property
    def command(self) -> tuple[str, ...]:
        """The command line of a recorded command; empty for an experiment."""
        return tuple(self.started.get("command") or ())

    @property
    def folder(self) -> str:
        """Where a recorded command was called, relative to the repository."""
        return self.started.get("folder") or "."

    @property
    def inputs(self) -> str:
        """The digest of everything that went in; empty where none was recorded."""
        return self.started.get("inputs") or ""

    @property
    def data(self) -> dict[str, RecordedFile]:
        """The files that it read, by role (`source`, `reference`, `train.source`, a time frame)."""
        return {
            role: RecordedFile.from_json(facts)
            for role, facts in (self.started.get("data") or {}).items()
            if facts
        }

    @property
    def environment(self) -> str | None:
        """The digest of its environment."""
        return self.started.get("environment")

    @property
    def machine(self) -> str | None:
        """The digest of its machine."""
        return self.started.get("machine")

    @property
    def lockfile(self) -> Mapping[str, Json]:
        """The `path` and `digest` of its lockfile; empty where it had none."""
        return self.started.get("lockfile") or {}

    @property
    def git(self) -> Mapping[str, Json]:
        """Commit, branch, changed paths and the stored patch when it started; empty outside git."""
        return self.started.get("git") or {}

    @property
    def commit(self) -> str | None:
        """The commit that it started from."""
        return self.git.get("commit")

    @property
    def preflight(self) -> Report:
        """The guards' report before it started, with later acceptances applied."""
        return self._accepted(self.started.get("preflight"))

    @property
    def claims(self) -> Mapping[str, Json] | None:
        """What the source of an imported run states; None for any other run."""
        return self.started.get("claims") if self.status == "claimed" else None

    # What was observed.

    @property
    def report(self) -> Report:
        """The guards' report on its result, with later acceptances applied; empty before it finished."""
        return self._accepted(self.result.get("report"))

    @property
    def verdict(self) -> Verdict | None:
        """The recorded verdict, recomputed where an acceptance changes it; None before there is one."""
        recorded = self.result.get("verdict")
        if recorded is None:
            return None
        if not self.acceptances:
            return Verdict(recorded)
        before, after = _report(self.result.get("report")).verdict, self.report.verdict
        return after if after is not before else Verdict(recorded)

    @property
    def metrics(self) -> dict[str, Metric]:
        """Its scores by name; empty before it finished."""
        return {name: _metric(one) for name, one in self.recorded_metrics.items() if "value" in one}

    @property
    def recorded_metrics(self) -> Mapping[str, Mapping[str, Json]]:
        """Its scores by name, as recorded.

        `sample_bleu` is that of a checkpoint's few sample lines, `eval_…` what the script's own evaluations
        logged last. Older entries call the former `bleu`.
        """
        recorded = self.result.get("metrics") or {}
        sampled = ("bleu", "bleu_memory") if self.result.get("checkpoints") else ()
        return {f"sample_{name}" if name in sampled else name: one for name, one in recorded.items()}

    def score(self, name: str) -> tuple[Metric, str] | None:
        """Its own score, else that of the script's own evaluation, else that of a checkpoint's sample, and a
        word for where it is from: nothing, `script` or `sample`."""
        origins = {name: "", f"eval_{name}": "script", f"sample_{name}": "sample"}
        metrics = self.metrics
        return next(((metrics[one], origin) for one, origin in origins.items() if one in metrics), None)

    @property
    def verified(self) -> tuple[int, int] | None:
        """How many of the checkpoints that it saved were verified, whatever the verdict, and how many there
        are; None where it saved none, or is a run that saves none."""
        saved = len(self.checkpoints) + len(self.result.get("unverified") or ())
        done = sum(row.verdict is not Verdict.INCONCLUSIVE for row in self.checkpoints)
        return (done, saved) if saved else None

    @property
    def rates(self) -> dict[str, float]:
        """The share (0-1) of output lines that each text guard flagged, by code."""
        recorded = self.result.get("rates") or {}
        return {code: float(rate) for code, rate in recorded.items() if rate is not None}

    @property
    def output(self) -> RecordedFile | None:
        """The file that it wrote, or the folder of its checkpoints, which has no digest."""
        facts = self.result.get("output")
        return RecordedFile.from_json(facts) if facts else None

    @property
    def checkpoints(self) -> tuple[CheckpointRow, ...]:
        """The checkpoints that it saved, in the order of saving."""
        return tuple(map(CheckpointRow.from_json, self.result.get("checkpoints") or ()))

    @property
    def family(self) -> Mapping[str, Json]:
        """A forecast's correlation of each time frame, as recorded; empty for other tasks."""
        return self.result.get("family") or {}

    @property
    def effective(self) -> Mapping[str, Json]:
        """The effective configuration, by section."""
        return self.result.get("effective") or {}

    @property
    def imported(self) -> tuple[str, ...]:
        """The distributions that its worker imported; empty where none were reported."""
        return tuple(self.result.get("imported") or ())

    @property
    def tokenizer_digest(self) -> str | None:
        """The digest of its tokenizer's vocabulary."""
        return self.result.get("tokenizer_digest") or self.started.get("tokenizer_digest")

    @property
    def last_step(self) -> int | None:
        """The last training step that it reached; None unless a whole number is recorded."""
        step = self.result.get("last_step")
        return step if isinstance(step, int) else None

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        return self.result.get("seconds")

    @property
    def exit_code(self) -> int | None:
        """The exit code of a recorded command."""
        return self.result.get("exit_code")

    @property
    def error(self) -> str | None:
        """The message of the error that ended it."""
        return self.result.get("error")

    # The run as other parts need it.

    def identity(self) -> "RunIdentity":
        """Its inputs and output, as the duplicate guards compare them."""
        from ledger.evidence.identity import RunIdentity

        return RunIdentity(
            run=self.id,
            experiment=self.experiment,
            inputs=self.inputs,
            spec=self.spec,
            environment=self.environment,
            output=self.output.digests if self.output else {},
            time=self.time,
        )

    def training_identity(self) -> "TrainingIdentity":
        """Its first losses and stated settings, as the guard on equal trainings compares them."""
        from ledger.evidence.identity import TrainingIdentity

        claimed = self.started.get("training") or {}
        losses = claimed.get("first_losses") or (self.result.get("series") or {}).get("first") or []
        stated = claimed.get("stated") or self.spec or {"command": list(self.command)}
        return TrainingIdentity(self.id, self.experiment, read_first_losses(losses), stated)

    def summary(self) -> dict[str, Json]:
        """The members that every `--json` document on a run begins with."""
        return {
            "run": self.id,
            "experiment": self.experiment,
            "mode": self.mode,
            "started": self.time,
            "status": self.status,
            "verdict": self.verdict,
        }

    def to_json(self) -> dict[str, Json]:
        """Everything that the journal has on it, for `--json`."""
        return {
            **self.report.to_json(),
            **self.summary(),  # a run without a verdict has null here, where an empty report would pass
            "preflight": self.preflight.to_json(),
            "acceptances": [asdict(one) for one in self.acceptances],
            "entries": list(self.entries),
            "reproductions": [{"time": one.time, **one.body} for one in self.reproductions],
            "recorded": {"started": dict(self.started), "finished": self.finished and dict(self.finished)},
        }

    def _accepted(self, report: Json) -> Report:
        if not self.acceptances:
            return _report(report)
        return _report(report).accept({one.code: one.why for one in self.acceptances})


def read_first_losses(rows: Sequence[Sequence[float]]) -> tuple[tuple[int, float], ...]:
    """The first losses of a training, from the `[step, loss]` pairs of an entry."""
    return tuple((int(step), float(loss)) for step, loss in rows)


def _metric(one: Mapping[str, Json]) -> Metric:
    return Metric(one["value"], str(one.get("signature") or ""), tuple(one.get("scale") or (0.0, 100.0)))


def _report(data: Json) -> Report:
    return Report.from_json(data) if data else Report()
