"""The outcome of a reproduction, and its entry in the journal."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ledger.commands.diff_env.compare import EnvironmentComparison
from ledger.commands.reproduce.prerequisites import Missing
from ledger.evidence import Evidence
from ledger.evidence.suspects import Suspect
from ledger.findings import Json, Report, Severity
from ledger.journal.run import Run
from ledger.utils.mapping_diff import Difference

MOST_RECORDED = 20  # suspects in the journal: the most suspicious, next to their number

Result = Literal["identical", "within tolerance", "different"]


@dataclass(frozen=True, slots=True)
class Reproduction:
    """The outcome. `again` is the new run; None where prerequisites are `missing` and nothing ran.

    `expected` has the results of the first run. `settings` are the requested changes; `comparison` has the
    differences between the environments and effective configurations, None where nothing ran.
    `output_folder` has a copy of the new output; `entry` is the id of the journal's entry.
    """

    run: Run
    report: Report
    expected: Evidence = field(default_factory=Evidence)
    missing: tuple[Missing, ...] = ()
    again: Run | None = None
    settings: tuple[Difference, ...] = ()
    comparison: EnvironmentComparison | None = None
    output_folder: Path | None = None
    entry: str | None = None
    seconds: float = 0.0

    @property
    def result(self) -> Result | None:
        """In one word; None where nothing ran."""
        if self.again is None:
            return None
        if any(finding.severity is Severity.ERROR for finding in self.report.findings):
            return "different"
        return "within tolerance" if self.report.findings else "identical"

    @property
    def suspects(self) -> Sequence[Suspect]:
        """The differences between environments and effective configurations, the most suspicious first."""
        return self.comparison.suspects if self.comparison else ()

    def to_json(self) -> dict[str, Json]:
        """The document of `--json`."""
        return {
            **self.report.to_json(),
            "run": self.run.id,
            "experiment": self.run.experiment,
            "mode": self.run.mode,
            "result": self.result,
            "missing": [one.to_json() for one in self.missing],
            "reproduction": self.again.summary() if self.again else None,
            "settings": [one.to_json() for one in self.settings],
            "suspects": [one.to_json() for one in self.suspects],
            "kept": str(self.output_folder) if self.output_folder else None,
            "entry": self.entry,
            "seconds": round(self.seconds, 3),
        }


def body(done: Reproduction) -> dict[str, Json]:
    """The body of the journal's entry, which names the repeated run."""
    assert done.again is not None
    result = done.again.result
    return {
        "run": done.run.id,
        "experiment": done.run.experiment,
        "mode": done.run.mode,
        "reproduction": done.again.id,
        "result": done.result,
        "commit": done.run.commit,
        "environment": done.again.environment,
        "machine": done.again.machine,
        "settings": [one.to_json() for one in done.settings],
        "suspects": [one.to_json() for one in done.suspects[:MOST_RECORDED]],
        "suspects_in_all": len(done.suspects),
        "output": result.get("output"),
        "metrics": result.get("metrics") or {},
        "seconds": round(done.seconds, 3),
        "report": done.report.to_json(),
        "verdict": str(done.report.verdict),
    }
