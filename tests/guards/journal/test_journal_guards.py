"""Each guard alone, on evidence written by hand."""

import pytest

from guards.guard import inspect
from guards.journal import GUARDS
from ledger.evidence import Evidence
from ledger.evidence.journal import JournalHeads, JournalLine, JournalLines, TornTail
from ledger.findings import Severity

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")


def line(number, identity, *parents, digest=None, canonical=True):
    return JournalLine(number, identity, digest or identity, canonical, parents)


SOUND = (line(1, A), line(2, B, A), line(3, C, B))
HEADS = JournalHeads({C: "noted"})


def findings(lines, heads=HEADS, tail=None):
    report = inspect(GUARDS, Evidence(heads), Evidence(JournalLines(tuple(lines), tail)))
    return [(f.code, f.severity, f.evidence.get("line")) for f in report.findings]


def test_a_sound_journal_passes_every_guard():
    report = inspect(GUARDS, Evidence(HEADS), Evidence(JournalLines(SOUND)))
    assert report.findings == report.skips == ()
    assert report.passed == ("JRN001", "JRN002", "JRN003", "JRN004", "JRN005", "JRN006")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([SOUND[0], line(2, B, A, digest=A), SOUND[2]], ("JRN001", 2)),
        ([SOUND[0], line(2, B, A, canonical=False), SOUND[2]], ("JRN001", 2)),
        ([SOUND[0], line(2, C, B)], ("JRN002", 2)),
        (SOUND[:2], ("JRN002", 3)),
        ([], ("JRN002", 1)),
        ([*SOUND, line(4, B, A)], ("JRN003", 4)),
        ([line(1, B, A), line(2, A), SOUND[2]], ("JRN004", 1)),
        ([*SOUND, JournalLine(4, "", "", False, problem="blank")], ("JRN006", 4)),
    ],
)
def test_each_fault_has_its_code_and_its_line(lines, expected):
    assert findings(lines) == [(expected[0], Severity.ERROR, expected[1])]


@pytest.mark.parametrize(
    ("tail", "severity"),
    [
        (TornTail(4, 17, ended=False), Severity.WARNING),
        (TornTail(3, 300, ended=False, whole=True), Severity.WARNING),
        (TornTail(4, 17, ended=True), Severity.ERROR),
    ],
)
def test_a_cut_append_warns_and_a_damaged_last_line_fails(tail, severity):
    assert findings(SOUND, tail=tail) == [("JRN005", severity, tail.number)]


def test_two_branches_side_by_side_are_sound():
    merged = [line(1, A), line(2, B, A), line(3, C, A)]
    assert findings(merged, JournalHeads({B: "noted", C: "committed"})) == []


def test_an_entry_on_another_branch_is_a_note_and_not_an_error():
    elsewhere = {C: "refs/heads/feat"}
    assert findings(SOUND[:2], JournalHeads({C: "noted"}, elsewhere)) == [("JRN002", Severity.INFO, None)]
    assert findings([SOUND[0], line(2, C, B)], JournalHeads({}, {B: "refs/heads/feat"})) == [
        ("JRN002", Severity.INFO, 2)
    ]


def test_the_first_is_named_and_all_are_counted():
    bad = [line(number, A if number == 1 else f"sha256:{number:064}", digest=B) for number in range(1, 31)]
    report = inspect(GUARDS[:1], Evidence(HEADS), Evidence(JournalLines(tuple(bad))))
    [finding] = report.findings
    assert finding.measured == 30
    assert finding.message.startswith("line 1: ")
    assert finding.message.endswith("(and 29 more)")
    assert finding.evidence["lines"] == list(range(1, 21))


def test_each_guard_explains_itself():
    assert [guard.CODE for guard in GUARDS] == [f"JRN00{number}" for number in range(1, 7)]
    for guard in GUARDS:
        assert (JournalHeads, JournalLines) == guard.READS
        assert all((guard.TITLE, guard.EXPLANATION.means, guard.EXPLANATION.matters, guard.EXPLANATION.do))
