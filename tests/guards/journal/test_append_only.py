"""JRN007: any line changed or taken away shows; any order and any growth is fine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guards.guard import inspect
from guards.journal import AGAINST_BASE
from ledger.evidence import Evidence
from ledger.evidence.gate import JournalText
from ledger.journal.store import seal

ENTRIES = [seal("run.started", {"run": f"exp{number}"}, []) for number in range(6)]
LINES = [entry.line + b"\n" for entry in ENTRIES]


def look(past: bytes, present: bytes):
    expected = Evidence(JournalText("main", past))
    return inspect(AGAINST_BASE, expected, Evidence(JournalText("the work tree", present)))


@given(st.permutations(LINES), st.integers(0, len(LINES)))
def test_every_order_and_every_addition_passes(lines, before):
    past = b"".join(sorted(lines[:before]))
    assert look(past, b"".join(lines)).passed == ("JRN007",)


@given(st.permutations(LINES), st.integers(0, len(LINES) - 1))
def test_any_missing_line_is_reported(lines, gone):
    present = [line for place, line in enumerate(lines) if place != gone]
    (finding,) = look(b"".join(lines), b"".join(present)).findings
    assert "is missing" in finding.message
    assert finding.evidence["lines"] == [gone + 1]


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"exp3", b"exp4"), (b'"v":1', b'"v": 1'), (b'"kind":"run.started"', b'"kind":"run.ended"')],
)
def test_an_edited_line_is_reported_as_altered(old, new):
    past = b"".join(LINES)
    present = b"".join([*LINES[:3], LINES[3].replace(old, new), *LINES[4:]])
    messages = [finding.message for finding in look(past, present).findings]
    assert len(messages) == 1
    assert ENTRIES[3].id[:19] in messages[0]
    assert "line 4 in main" in messages[0]


def test_a_line_cut_short_is_no_growth():
    """The base's bytes are a prefix up to the middle of a line."""
    past = b"".join(LINES)[:-1]
    assert look(past, past + b"}\n").failing == {"JRN007"}
