"""Filters on recorded runs. Light imports only: `ledger log` starts with it."""

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
    """A filter on runs; None matches every run. `since` is written as the journal writes times."""

    experiment: str | None = None
    verdict: str | None = None
    mode: str | None = None
    since: str | None = None
    code: str | None = None
    tests: tuple[Test, ...] = ()

    @property
    def is_everything(self) -> bool:
        """Whether every run matches."""
        return self == Wanted()

    def has(self, run: Run) -> bool:
        """Whether a run matches."""
        return (
            self.experiment in (None, run.experiment)
            and self.verdict in (None, run.verdict)
            and self.mode in (None, run.mode)
            and (self.since is None or run.time >= self.since)
            and (self.code is None or any(f.code == self.code for f in findings_of(run)))
            and all(test(run) for test in self.tests)
        )


def findings_of(run: Run) -> tuple[Finding, ...]:
    """All findings: those of the preflight, then those on the result."""
    return (*run.preflight.findings, *run.report.findings)


def parse_since(text: str) -> str:
    """A date, an ISO 8601 time (UTC unless it names a zone), or `7d`, `12h`, `30m` for so long ago."""
    if ago := AGO.fullmatch(text):
        when = datetime.now(UTC) - timedelta(**{UNITS[ago[2]]: int(ago[1])})
    else:
        try:
            when = datetime.fromisoformat(text)
        except ValueError as error:
            raise UsageError(f"invalid time: {text!r}", hint="write 2026-11-01, or 7d, 12h, 30m") from error
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return iso_utc(when)


def parse_bound(text: str) -> Test:
    """`bleu>30` as a test of a run; a run without that score fails it."""
    found = BOUND.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"invalid bound: {text!r}", hint="write a metric and its limit, such as 'bleu>30'")
    name, compare, limit = found[1], COMPARE[found[2]], float(found[3])

    def test(run: Run) -> bool:
        metric = run.metrics.get(name)
        return metric is not None and compare(metric.value, limit)

    return test
