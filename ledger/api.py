"""The interface for programs and notebooks: `ledger.check`, `ledger.verify`, `ledger.compare`, `ledger.runs`.

Each does what the command of its name does, on texts in memory or files, and returns an object. Errors that
the user can mend are `ledger.errors.LedgerError`; findings are no errors, they are in the result.
"""

import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.findings import Finding, Json, Report, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from ledger.display.progress import Progress
    from ledger.evaluation.comparison import Comparison
    from ledger.journal.run import Run


@dataclass(frozen=True, slots=True)
class Result:
    """What guards found. `scores` are sacrebleu's by name (`bleu`, `chrf`), each a value and its signature.

    `rates` is the share of lines (0-1) that each text guard flagged. In a notebook it shows as a table.
    """

    report: Report
    scores: Mapping[str, Json]
    rates: Mapping[str, float]

    @property
    def verdict(self) -> Verdict:
        """PASS, FAIL, or INCONCLUSIVE where something that was asked for could not be checked."""
        return self.report.verdict

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found, errors, warnings and notes."""
        return self.report.findings

    def to_json(self) -> dict[str, Json]:
        """The result as plain values, with the members that `--json` has."""
        return {**self.report.to_json(), "scores": dict(self.scores), "rates": dict(self.rates)}

    def _repr_html_(self) -> str:
        rows = [(f.code, f.severity.label, f.message) for f in self.findings]
        rows += [(skip.code, "skipped", skip.reason) for skip in self.report.skips]
        rows += [
            (name, "score", f"{one['value']:.2f} ({one['signature']})") for name, one in self.scores.items()
        ]
        table = _html_table(("guard", "result", "message"), rows)
        return f"<p><b>{self.verdict.upper()}</b></p>{table}"


class Runs(tuple["Run", ...]):
    """Recorded runs, oldest first. In a notebook they show as a table."""

    __slots__ = ()

    def rows(self) -> list[dict[str, Json]]:
        """One dictionary for each run: id, experiment, mode, time, status, verdict, and scores by name."""
        return [
            {
                "id": run.id,
                "experiment": run.experiment,
                "mode": run.mode,
                "time": run.time,
                "status": run.status,
                "verdict": str(run.verdict) if run.verdict else None,
                **{name: metric.value for name, metric in run.metrics.items()},
            }
            for run in self
        ]

    def frame(self) -> "pd.DataFrame":
        """The rows as a pandas frame, by run id. Raises LedgerError if pandas is not installed."""
        from ledger.utils.extras import require

        require("pandas")
        import pandas as pd

        return pd.DataFrame(self.rows(), columns=None if self else ["id"]).set_index("id")

    def _repr_html_(self) -> str:
        rows = self.rows()
        names = list(dict.fromkeys(name for row in rows for name in row))
        return _html_table(names, [[_shown(row.get(name)) for name in names] for row in rows])


def check(
    output: Sequence[str],
    *,
    source: Sequence[str] | None = None,
    reference: Sequence[str] | None = None,
    language: str | None = None,
    max_rate: Mapping[str, float] | None = None,
    min_bleu: float | None = None,
    min_chrf: float | None = None,
) -> Result:
    """Check the lines of a translation, as `ledger check` does with files. Nothing is recorded.

    `language` is that of the output (`ja`, `ja_XX`, `jpn_Jpan`); a reference needs it. `max_rate` is the
    share of lines (0-1) that a guard may flag, by its code; `min_bleu` and `min_chrf` are between 0 and 100.
    Raises LedgerError for texts of different lengths, no lines, or a language that nobody knows.
    """
    from ledger.commands.check import check_lines
    from ledger.evidence import Unobserved
    from ledger.evidence.scores import ScoreLimits

    done = check_lines(
        list(output),
        source=None if source is None else list(source),
        references=[] if reference is None else [list(reference)],
        language=language,
        max_rate=max_rate or {},
        score_limits=ScoreLimits(min_bleu, min_chrf),
    )
    scores = done.scores
    found = (
        {} if isinstance(scores, Unobserved) else {"bleu": asdict(scores.bleu), "chrf": asdict(scores.chrf)}
    )
    return Result(done.report, found, done.rates)


def verify(
    checkpoint: str | Path,
    *,
    source: Sequence[str] = (),
    reference: Sequence[str] = (),
    language: str | None = None,
    python: str | Path = sys.executable,
    device: str = "cpu",
) -> Result:
    """Reload a checkpoint in a fresh process and check it, as `ledger verify` does.

    `python` is the interpreter to reload it with. Inside a repository with a ledger the verdict is recorded,
    and a checkpoint that passes is marked. Raises LedgerError where there is no such checkpoint.
    """
    from ledger.commands.verify.values import VerifyRequest
    from ledger.commands.verify.verify import verify as verify_all
    from ledger.workspace import Workspace
    from runners.host.verification import ReloadOptions

    options = ReloadOptions(tuple(source), tuple(reference), language, device=device)
    request = VerifyRequest((Path(checkpoint),), Path(python).absolute(), options=options)
    done = verify_all(Workspace.find_if_any(), request, _Silent())[0]
    scores = {"memory": done.memory, "reloaded": done.reloaded}
    return Result(done.report, {name: asdict(one) for name, one in scores.items() if one}, {})


def compare(
    baseline: str | Path,
    candidate: str | Path,
    *,
    source: str | Path | None = None,
    reference: str | Path | None = None,
    language: str | None = None,
) -> "Comparison":
    """Compare two runs, experiments or files, as `ledger compare` does; the difference is candidate minus
    baseline.

    Source, reference and language default to those of the runs. Raises LedgerError for a name that is neither
    a file nor a run.
    """
    from ledger.commands.compare import CompareRequest
    from ledger.commands.compare import compare as compare_both
    from ledger.workspace import Workspace

    request = CompareRequest(
        str(baseline),
        str(candidate),
        source=None if source is None else Path(source),
        reference=None if reference is None else Path(reference),
        language=language,
    )
    return compare_both(Workspace.find_if_any(), request)


def runs(folder: str | Path | None = None) -> Runs:
    """The recorded runs of the repository around `folder` (default: the current one), rehearsals included.

    Raises LedgerError where there is no ledger.
    """
    from ledger.journal.runs import load_runs
    from ledger.workspace import Workspace

    return Runs(load_runs(Workspace.find(None if folder is None else Path(folder))))


class _Silent:
    """Reports nothing: the result says it all."""

    def say(self, text: str) -> None:
        pass

    def checkpoint(self, lines: Sequence[str]) -> None:
        pass

    def preflight(self, report: Report) -> None:
        pass

    def progress(self, unit: str) -> "AbstractContextManager[Callable[[Progress], None]]":  # noqa: ARG002
        return nullcontext(lambda _progress: None)


def _html_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(one)}</th>" for one in headings)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _shown(value: Any) -> str:
    return "" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)
