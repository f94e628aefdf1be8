"""The results of guards: findings, skips, and the verdict of a report.

Plain values only: `guards` produces them, `ledger.display.results` displays them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from typing import Any

STEP_KEYS = ("step", "first_step", "last_step")  # of evidence: the first that is there says where it shows
Json = Any  # str | int | float | bool | None | list[Json] | dict[str, Json]


class Severity(IntEnum):
    """The severity of a finding; an ERROR fails the command."""

    INFO = 0
    WARNING = 1
    ERROR = 2

    @property
    def label(self) -> str:
        """The name in JSON and on the terminal."""
        return self.name.lower()


class Verdict(StrEnum):
    """The verdict of a report."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a guard found.

    `measured` and `threshold` are in the unit that `message` names (rates 0-1, BLEU 0-100);
    `evidence` has the values to check the finding with: counts, samples, run ids.
    `accepted` is the recorded reason for accepting it, if there is one.
    """

    code: str
    severity: Severity
    message: str
    measured: Json = None
    threshold: Json = None
    evidence: Mapping[str, Json] = field(default_factory=dict)
    accepted: str | None = None

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps of a training at which it shows; empty where it is not about any."""
        return steps_of(self.code, self.evidence)

    def to_json(self) -> dict[str, Json]:
        """The finding as the command contract's `--json` shows it."""
        return {
            "code": self.code,
            "severity": self.severity.label,
            "message": self.message,
            "measured": self.measured,
            "threshold": self.threshold,
            "evidence": dict(self.evidence),
            **({"accepted": self.accepted} if self.accepted else {}),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Json]) -> "Finding":
        """The inverse of `to_json`."""
        return cls(**{**data, "severity": Severity[data["severity"].upper()]})


def steps_of(code: str, evidence: Mapping[str, Json]) -> tuple[int, ...]:
    """The steps of a training at which a guard's finding shows, by the keys that guards give their steps."""
    if not code.startswith(("TRN", "CKP")):
        return ()
    steps = evidence.get("steps")
    if not isinstance(steps, list | tuple):
        one = next((evidence[key] for key in STEP_KEYS if evidence.get(key) is not None), None)
        steps = [one]
    return tuple(step for step in steps if isinstance(step, int))


@dataclass(frozen=True, slots=True)
class Skip:
    """A guard that could not be applied, and why. `required`: the command was asked for exactly this."""

    code: str
    reason: str
    required: bool = False

    def to_json(self) -> dict[str, Json]:
        """The skip as the command contract's `--json` shows it."""
        return {"code": self.code, "reason": self.reason, **({"required": True} if self.required else {})}


@dataclass(frozen=True, slots=True)
class Report:
    """The result of one inspection: findings, skips, and the codes of the guards that passed."""

    findings: tuple[Finding, ...] = ()
    skips: tuple[Skip, ...] = ()
    passed: tuple[str, ...] = ()

    @property
    def failing(self) -> frozenset[str]:
        """The codes of the errors that nobody accepted."""
        return frozenset(f.code for f in self.findings if f.severity >= Severity.ERROR and f.accepted is None)

    @property
    def verdict(self) -> Verdict:
        """FAIL on an unaccepted error, else INCONCLUSIVE if something asked for was skipped, else PASS."""
        if self.failing:
            return Verdict.FAIL
        if any(skip.required for skip in self.skips):
            return Verdict.INCONCLUSIVE
        return Verdict.PASS

    def __add__(self, other: "Report") -> "Report":
        return Report(self.findings + other.findings, self.skips + other.skips, self.passed + other.passed)

    def accept(self, waivers: Mapping[str, str]) -> "Report":
        """The same report with every finding whose code is in `waivers` marked with the reason there."""
        return replace(
            self,
            findings=tuple(replace(f, accepted=waivers.get(f.code, f.accepted)) for f in self.findings),
        )

    def as_warnings(self) -> "Report":
        """The same report without errors: they are warnings."""
        capped = (replace(f, severity=min(f.severity, Severity.WARNING)) for f in self.findings)
        return replace(self, findings=tuple(capped))

    def to_json(self) -> dict[str, Json]:
        """The part of `--json` that every command ending in a verdict shares."""
        return {
            "verdict": str(self.verdict),
            "findings": [finding.to_json() for finding in self.findings],
            "skips": [skip.to_json() for skip in self.skips],
            "passed": list(self.passed),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Json]) -> "Report":
        """The inverse of `to_json`; the verdict is computed again."""
        return cls(
            tuple(Finding.from_json(item) for item in data["findings"]),
            tuple(Skip(**item) for item in data["skips"]),
            tuple(data.get("passed", ())),
        )


def merge(reports: Iterable[Report]) -> Report:
    """All the reports as one."""
    total = Report()
    for report in reports:
        total += report
    return total
