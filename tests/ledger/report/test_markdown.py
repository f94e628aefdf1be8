"""The report to commit: read back by a parser of Markdown."""

from markdown_it import MarkdownIt

from ledger.commands.report import ReportRequest, report


def test_an_experiment_is_a_section_and_nothing_in_it_breaks_out(many):
    text = report(many, ReportRequest(markdown=True))
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    headings = [
        tokens[n + 1].content for n, token in enumerate(tokens) if token.tag == "h2" and token.nesting == 1
    ]
    assert headings[0] == "Needs attention"
    assert headings[1].startswith("exp0: mBART-50")
    assert len(headings) == 14
    assert not any(token.type.startswith("html") for token in tokens)
    assert "skipped: measured with exp1 (김민지" in text


def test_scores_keep_their_signatures_and_rehearsals_their_name(many):
    text = report(many, ReportRequest(markdown=True))
    assert "`BLEU|nrefs:1|case:mixed" in text
    assert "UTC, rehearsal:" in text
    assert "予行" in report(many, ReportRequest(language="ja", markdown=True))
