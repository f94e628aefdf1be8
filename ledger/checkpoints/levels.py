"""What a verdict on a checkpoint rests on: the levels that were looked at, read from the guards' report.

Computed from codes alone, so that the reports of old entries say it, too.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Literal, get_args

from ledger.findings import Json, Report, Verdict

Level = Literal["files", "reloaded", "tensors", "logits", "text"]
LEVELS: tuple[Level, ...] = get_args(Level)

# Guards that look at nothing else: applied, they have looked at it, whatever they found.
_GUARDS: Mapping[Level, Collection[str]] = {
    "files": ("CKP001",),
    "reloaded": ("CKP003",),
    "tensors": ("CKP005",),
    "logits": ("CKP006",),
    "text": ("TXT001",),
}


def levels_of(report: Report) -> tuple[Level, ...]:
    """The levels that the report rests on. Digests of tensors that were cast have not been compared."""
    compared = {finding.code for finding in report.findings if not finding.evidence.get("cast")}
    applied = {*report.passed, *compared}
    return tuple(level for level in LEVELS if applied.intersection(_GUARDS[level]))


def standing(verdicts: Iterable[Mapping[str, Json]]) -> list[Mapping[str, Json]]:
    """The verdicts, in order of time, that no later one supersedes: bodies of `checkpoint.verified` entries.

    A later verdict on the same files, or on those that replaced them, supersedes an earlier one if it is in
    the same environment, is conclusive, and rests on at least the same levels: a checkpoint that failed
    because of its evidence does not pass for having lost it.
    """
    found: list[Mapping[str, Json]] = []
    for later in verdicts:
        found = [earlier for earlier in found if not _supersedes(later, earlier)]
        found.append(later)
    return found


def _supersedes(later: Mapping[str, Json], earlier: Mapping[str, Json]) -> bool:
    same_files = later.get("files") is not None and later.get("files") == earlier.get("files")
    if not (same_files or later.get("checkpoint") == earlier.get("checkpoint")):
        return False
    if later.get("environment") != earlier.get("environment"):
        return False
    reports = [Report.from_json(one["report"]) for one in (later, earlier)]
    inconclusive = [report.verdict is Verdict.INCONCLUSIVE for report in reports]
    if inconclusive[0] and not inconclusive[1]:
        return False
    return set(levels_of(reports[0])) >= set(levels_of(reports[1]))
