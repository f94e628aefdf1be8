"""Which of the recorded runs are asked for. Pure and light: `ledger log` starts with it."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ledger.errors import UsageError
from ledger.findings import Finding
from ledger.journal.run import Run
from ledger.utils.times import iso_utc

AGO = re.compile(r"(\d+)([dhm])")
UNITS = {"d": "days", "h": "hours", "m": "minutes"}
BOUND = re.compile(r"([A-Za-z_]\w*)\s*(<=|>=|<|>)\s*(-?\d+(?:\.\d+)?)")
COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}

Test = Callable[[Run], bool]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The runs that are asked for; None asks for all. `since` is as the journal writes times."""

    experiment: str | None = None
    verdict: str | None = None
    mode: str | None = None
    since: str | None = None
    code: str | None = None
    tests: tuple[Test, ...] = ()

    @property
    def is_everything(self) -> bool:
        """Whether no run is left out."""
        return self == Wanted()

    def has(self, run: Run) -> bool:
        """Whether a run is among them."""
        return (
            self.experiment in (None, run.experiment)
            and self.verdict in (None, run.verdict)
            and self.mode in (None, run.mode)
            and (self.since is None or run.time >= self.since)
            and (self.code is None or any(f.code == self.code for f in findings_of(run)))
            and all(test(run) for test in self.tests)
        )


def findings_of(run: Run) -> tuple[Finding, ...]:
    """Everything that was found, before the run and in its result."""
    return (*run.preflight.findings, *run.report.findings)


def parse_since(text: str) -> str:
    """`2026-11-01` or a time of ISO 8601 (UTC unless it says otherwise), or `7d`, `12h`, `30m` ago."""
    if ago := AGO.fullmatch(text):
        when = datetime.now(UTC) - timedelta(**{UNITS[ago[2]]: int(ago[1])})
    else:
        try:
            when = datetime.fromisoformat(text)
        except ValueError as error:
            raise UsageError(f"{text!r} is no time", hint="write 2026-11-01, or 7d, 12h, 30m") from error
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return iso_utc(when)


def parse_bound(text: str) -> Test:
    """`bleu>30` as a question to a run; one without that score never answers yes."""
    found = BOUND.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{text!r} is no bound", hint="write a metric and its limit, such as 'bleu>30'")
    name, compare, limit = found[1], COMPARE[found[2]], float(found[3])

    def test(run: Run) -> bool:
        metric = run.metrics.get(name)
        return metric is not None and compare(metric.value, limit)

    return test
