"""What came of a reproduction, and how the journal has it."""

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

MOST_RECORDED = 20  # suspects: the record keeps the most suspicious, and how many there were

Result = Literal["identical", "within tolerance", "different"]


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What came of it. `again` is the new run, None where something is `missing` and nothing ran.

    `expected` is what the first run left. `settings` is what was asked for otherwise; `comparison` what
    differs of the environment and of the effective configuration, None where nothing ran. `kept` is the
    folder of the new output, `entry` the journal's.
    """

    run: Run
    report: Report
    expected: Evidence = field(default_factory=Evidence)
    missing: tuple[Missing, ...] = ()
    again: Run | None = None
    settings: tuple[Difference, ...] = ()
    comparison: EnvironmentComparison | None = None
    kept: Path | None = None
    entry: str | None = None
    seconds: float = 0.0

    @property
    def result(self) -> Result | None:
        """In a word; None where nothing ran."""
        if self.again is None:
            return None
        if any(finding.severity is Severity.ERROR for finding in self.report.findings):
            return "different"
        return "within tolerance" if self.report.findings else "identical"

    @property
    def suspects(self) -> Sequence[Suspect]:
        """What differs between the environments and effective configurations, the most suspicious first."""
        return self.comparison.suspects if self.comparison else ()

    def to_json(self) -> dict[str, Json]:
        """As `--json` shows it."""
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
            "kept": str(self.kept) if self.kept else None,
            "entry": self.entry,
            "seconds": round(self.seconds, 3),
        }


def body(done: Reproduction) -> dict[str, Json]:
    """The journal's entry on it, which names the run that it repeats."""
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
