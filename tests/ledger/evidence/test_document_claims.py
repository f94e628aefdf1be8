"""Claims in Markdown: what a reader sees as text counts, what stands in code does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.evidence.document_claims import find_claims

MARK = "<!-- ledger: exp5 bleu -->33.03<!-- /ledger -->"


def found(text):
    return [(claim.line, claim.run, claim.metric, claim.text) for claim in find_claims("README.md", text)]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"BLEU is {MARK}.", 1),
        (f"# Results\n\nfirst\nand {MARK} second", 4),
        (f"{MARK} stands at the start of a line", 1),
        (f"> quoted {MARK}", 1),
        (f"- item\n- item {MARK}", 2),
        (f"| run | BLEU |\n|---|---|\n| exp5 | {MARK} |", 3),
        (f"| run | BLEU |\n|---|---|\n| exp4 | 1 |\n| exp5 | {MARK} |", 4),
        (f"<p>\n{MARK}\n</p>", 2),
        ("so <!--ledger: exp5  bleu-->**33.03**<!--/ledger--> it is", 1),
        ("so <!-- ledger exp5 bleu --> 33.03 <!-- /ledger --> it is", 1),
    ],
)
def test_a_claim_is_found_where_a_reader_sees_it(text, line):
    assert found(text) == [(line, "exp5", "bleu", "33.03")]


@pytest.mark.parametrize(
    "text",
    [
        f"```\n{MARK}\n```",
        f"~~~markdown\n{MARK}\n~~~",
        f"    {MARK}",
        f"write `{MARK}` to claim it",
        "<!-- a comment on the ledger: nothing -->",
        "ledger: exp5 bleu 33.03",
        "",
    ],
)
def test_code_and_other_comments_are_no_claims(text):
    assert found(text) == []


def test_two_in_one_line():
    text = (
        "from <!-- ledger: exp5 bleu -->33.03<!-- /ledger --> to <!-- ledger: exp9 bleu -->31<!-- /ledger -->"
    )
    assert [claim[1:] for claim in found(text)] == [("exp5", "bleu", "33.03"), ("exp9", "bleu", "31")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a <!-- ledger: exp5 bleu -->33.03", "without its end"),
        ("a 33.03<!-- /ledger -->", "not begun"),
        ("a <!-- ledger: exp5 -->33.03<!-- /ledger -->", "no run and metric"),
        ("a <!-- ledger: exp5 the bleu -->33.03<!-- /ledger -->", "no run and metric"),
        ("a <!-- ledger: a bleu -->1 <!-- ledger: b bleu -->2<!-- /ledger -->", "without its end"),
    ],
)
def test_a_broken_mark_is_reported(text, message):
    problems = [claim.problem for claim in find_claims("README.md", text) if claim.problem]
    assert len(problems) == 1
    assert message in problems[0]


@given(st.text(alphabet="<!->/ ledgr:exp5 bu\n`|*#", max_size=80))
def test_any_text_is_read(text):
    for claim in find_claims("README.md", text):
        assert 1 <= claim.line <= text.count("\n") + 1
