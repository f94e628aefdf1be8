"""GAT005: a written number is the recorded one as far as it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guards.gate import wrong_document_number
from guards.gate.wrong_document_number import is_same
from guards.guard import inspect
from ledger.evidence import Evidence
from ledger.evidence.gate import DocumentClaim, DocumentClaims, Numbers

NUMBERS = Numbers(
    values={("exp5", "bleu"): 33.0312, ("exp5", "TXT003"): 0.119, ("exp5", "lines"): 1000.0},
    runs={"exp5": "exp5-abc123"},
    missing={("exp8", "bleu"): "claims a number of exp8: no run is called 'exp8'"},
    shares=frozenset({("exp5", "TXT003")}),
)


def look(run, metric, text, problem=""):
    claims = DocumentClaims((DocumentClaim("README.md", 7, run, metric, text, problem),))
    return inspect([wrong_document_number], Evidence(NUMBERS), Evidence(claims))


@pytest.mark.parametrize("text", ["33.03", "33", "BLEU 33.0", "33.0312", "33.03%"])
def test_a_number_that_is_the_journals(text):
    assert look("exp5", "bleu", text).passed == ("GAT005",)


def test_shares_and_thousands():
    assert look("exp5", "TXT003", "11.9%").passed
    assert look("exp5", "TXT003", "0.12").passed
    assert look("exp5", "lines", "1,000 lines").passed
    assert look("exp5", "TXT003", "12.0%").failing
    assert look("exp5", "lines", "1,001").failing


@pytest.mark.parametrize(
    ("run", "metric", "text", "message"),
    [
        ("exp5", "bleu", "33.04", "the journal has 33.03 (exp5-abc123)"),
        ("exp5", "bleu", "0.33", "33.03"),
        ("exp5", "bleu", "34%", "the journal has 33.03% (exp5-abc123)"),
        ("exp5", "bleu", "34.00", "README.md:7"),
        ("exp5", "bleu", "33.03 of 100", "not one number"),
        ("exp5", "bleu", "good", "not one number"),
        ("exp5", "bleu", "", "not one number"),
        ("exp8", "bleu", "33.03", "no run is called"),
    ],
)
def test_a_number_that_is_not(run, metric, text, message):
    (finding,) = look(run, metric, text).findings
    assert finding.severity.label == "error"
    assert message in finding.message


def test_a_broken_mark_is_no_pass():
    assert "without its end" in look("", "", "", "has a claim without its end").findings[0].message


@given(st.floats(-1e6, 1e6), st.integers(0, 6))
def test_a_number_written_by_rounding_is_the_same(value, places):
    assert is_same(f"{value:.{places}f}", value)


@given(st.floats(0, 100), st.integers(1, 4))
def test_a_number_off_by_more_than_a_unit_is_not(value, places):
    assert not is_same(f"{value + 1.6 * 10**-places:.{places}f}", value)
