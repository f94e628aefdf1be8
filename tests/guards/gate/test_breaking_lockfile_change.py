"""GAT002: a changed lockfile by what the rehearsals under both sides showed."""

import pytest

from guards.gate import breaking_lockfile_change
from guards.guard import inspect
from ledger.evidence import Evidence
from ledger.evidence.gate import Behaviour, LockChange, LockChanges, PackageChange, Rehearsals, Rehearsed

BUMP = (PackageChange("transformers", "4.57.6", "5.0.0"), PackageChange("rich", "14.0", None))
CHANGE = LockChange("exp10", "mt.txt", "mt.txt", BUMP, frozenset({"transformers", "torch"}))
HARMLESS = LockChange("exp10", "mt.txt", "mt.txt", BUMP, frozenset({"torch"}))
UNKNOWN = LockChange("exp10", "mt.txt", "mt.txt", BUMP)
SOUND = Behaviour("mt.txt", "exp10-1", passed=True)
FAILED = Behaviour("mt.txt", "exp10-2", passed=False, problems=("CKP003 lm_head.weight is missing",))
OFFLINE = Behaviour("mt.txt", None, passed=False, unfinished="the index cannot be reached")
DEFAULTS = ("model.tie_word_embeddings True → False",)


@pytest.mark.parametrize(
    ("change", "seen", "asked", "reported", "fragment"),
    [
        (CHANGE, None, False, "skip", "transformers 4.57.6 → 5.0.0: behaviour not checked"),
        (CHANGE, None, True, "required skip", "behaviour not checked"),
        (UNKNOWN, None, False, "skip", "rich 14.0 → absent"),
        (HARMLESS, None, False, "info", "never imported"),
        (HARMLESS, None, True, "info", "never imported"),
        (CHANGE, Rehearsed(SOUND, SOUND, SOUND), True, "info", "rehearsed under both"),
        (CHANGE, Rehearsed(SOUND, SOUND, FAILED, DEFAULTS), True, "error", "CKP003 lm_head.weight"),
        (
            CHANGE,
            Rehearsed(SOUND, SOUND, FAILED, DEFAULTS),
            True,
            "error",
            "tie_word_embeddings True → False",
        ),
        (CHANGE, Rehearsed(SOUND, FAILED), True, "error", "its rehearsal fails"),
        (CHANGE, Rehearsed(FAILED, FAILED), True, "warning", "either"),
        (CHANGE, Rehearsed(FAILED, SOUND), True, "info", "fails under mt.txt and passes under mt.txt"),
        (HARMLESS, Rehearsed(SOUND, SOUND, SOUND), True, "info", "never imported"),
        (HARMLESS, Rehearsed(SOUND, SOUND, FAILED), True, "error", "CKP003 lm_head.weight"),
        (CHANGE, Rehearsed(SOUND, OFFLINE), True, "required skip", "cannot be reached"),
        (CHANGE, Rehearsed(OFFLINE, SOUND), True, "required skip", "cannot be reached"),
        (CHANGE, Rehearsed(SOUND, OFFLINE, FAILED), True, "error", "CKP003"),
    ],
)
def test_a_changed_lockfile(change, seen, asked, reported, fragment):
    actual = Rehearsals({"exp10": seen} if seen else {}, asked=asked)
    expected = Evidence(LockChanges("main", (change,)))
    report = inspect([breaking_lockfile_change], expected, Evidence(actual))
    kinds = [(f.severity.label, f.message) for f in report.findings]
    kinds += [("required skip" if skip.required else "skip", skip.reason) for skip in report.skips]
    assert [kind for kind, _ in kinds] == [reported]
    assert fragment in kinds[0][1]


def test_the_message_mentions_the_reload_only_if_there_was_one():
    messages = []
    for seen in (Rehearsed(SOUND, SOUND), Rehearsed(SOUND, SOUND, SOUND)):
        actual = Evidence(Rehearsals({"exp10": seen}, asked=True))
        expected = Evidence(LockChanges("main", (CHANGE,)))
        messages += [
            finding.message for finding in inspect([breaking_lockfile_change], expected, actual).findings
        ]
    assert ["reload the old checkpoint" in message for message in messages] == [False, True]
