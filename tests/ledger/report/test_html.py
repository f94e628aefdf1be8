"""The page: what stands on it, and what must never be in it."""

import re
from html.parser import HTMLParser

import pytest

from ledger.commands.report import ReportRequest, report
from ledger.report.translations import ENGLISH, JAPANESE
from ledger.workspace import Workspace

LARGEST = 2_000_000


class Page(HTMLParser):
    """The tags with their attributes, and the text outside of style and script."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self._inside = tag

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside not in ("style", "script"):
            self.text += data


@pytest.fixture
def page(written) -> Page:
    return Page(written["en"].read_text(encoding="utf-8"))


def test_two_hundred_entries_stay_small(written):
    assert all(path.stat().st_size < LARGEST for path in written.values())


@pytest.mark.parametrize("markdown", [False, True])
def test_of_many_runs_the_newest_are_shown_and_the_page_says_so(many, monkeypatch, markdown):
    monkeypatch.setattr("ledger.commands.report.MOST_RUNS", 5)
    text = report(many, ReportRequest(markdown=markdown))
    assert "The newest 5 of 100 runs are shown" in text
    assert "exp3-000063" in text, "the newest"
    assert text.count('<section class="view"') == (0 if markdown else 5)
    assert text.count('<circle class="pass') < 6
    assert "exp99" in text, "it has never been run"


def test_nothing_is_fetched(written, page):
    for tag, attributes in page.tags:
        assert tag not in ("link", "img", "iframe", "object", "embed")
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#"), attributes
    html = written["en"].read_text(encoding="utf-8")
    assert "@import" not in html
    assert not re.search(r"url\(|fetch\(|XMLHttpRequest", html)


def test_what_was_recorded_cannot_become_markup(written, page):
    html = written["en"].read_text(encoding="utf-8")
    assert "<script>alert" not in html
    assert "a <b>lesson</b> & more" in page.text
    assert html.count("<script>") == 1
    assert all("type" in found or found == {} for tag, found in page.tags if tag == "script")


def test_flagged_lines_have_their_parts_marked(written):
    html = written["en"].read_text(encoding="utf-8")
    assert re.search(r'<mark class="TXT001"[^>]*>I I I I I I I I I I I I</mark>', html)
    assert re.search(r'これは <mark class="TXT003"[^>]*>Window</mark> です', html)


def test_each_section_has_what_it_is_for(page):
    ids = {attributes.get("id") for _, attributes in page.tags}
    assert {"attention", "experiments", "comparisons", "timeline", "rates", "people", "runs"} <= ids
    assert {"run-exp0-000000", "run-exp11-00005f", "code-TXT001"} <= ids
    assert "skipped: measured with exp1" in page.text
    assert "transformers" in page.text
    assert "36% (24–50%)" in page.text
    assert "rehearsal" in page.text


def test_both_curves_stand_on_one_plot(written):
    html = written["en"].read_text(encoding="utf-8")
    plots = re.findall(r'<svg[^>]*aria-label="BLEU,[^"]*">(.*?)</svg>', html)
    assert plots
    assert all('<polyline class="memory"' in plot and '<polyline class="reloaded"' in plot for plot in plots)


def test_every_word_exists_in_both_languages(written):
    titles = {name for name in JAPANESE if name.startswith("facts_")}  # in English they are their own names
    assert ENGLISH.keys() == JAPANESE.keys() - titles
    html = written["ja"].read_text(encoding="utf-8")
    assert '<html lang="ja">' in html
    assert JAPANESE["rehearsals"] in html
    assert ">合格<" in html


def test_an_empty_record_makes_a_page_that_says_so(tmp_path, monkeypatch):
    (tmp_path / "experiments").mkdir()
    assert ENGLISH["nothing"] in report(Workspace(tmp_path), ReportRequest())
    assert ENGLISH["nothing"] in report(Workspace(tmp_path), ReportRequest(markdown=True))
