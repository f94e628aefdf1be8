"""The documentation site: links resolve, every page is listed, nothing is loaded from the network."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from guards.registry import by_code
from ledger.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
CHROMIUM = next((path for name in ("chromium", "google-chrome") if (path := shutil.which(name))), None)
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
LOADED = re.compile(r"""<(?:script|img|iframe)[^>]*\ssrc=["']?([^"' >]+)|<link[^>]*\shref=["']?([^"' >]+)""")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built as by `make docs`: a page outside the navigation or a dead link fails the build."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_every_command_and_every_code_has_its_page(site):
    assert {path.stem for path in site.glob("guards/*.html")} == set(by_code())
    assert {path.stem for path in site.glob("commands/*.html")} == {"index", *COMMANDS}


def test_nothing_is_loaded_from_elsewhere(site):
    pages = list(site.rglob("*.html"))
    loaded = {"".join(found) for page in pages for found in LOADED.findall(page.read_text(encoding="utf-8"))}
    assert loaded
    assert not [address for address in loaded if re.match(r"(https?:)?//", address)]


def test_a_commands_page_has_its_help_with_the_examples_as_code(site):
    page = (site / "commands/check.html").read_text(encoding="utf-8")
    assert re.search(r"<pre>.*?<code>ledger check out.ja --lang ja\nledger check out.ja --source", page)
    assert "The lowest BLEU (0-100) that passes." in page


def test_files_have_titles_and_lists_are_rendered_as_lists(site):
    assert '<span class="filename">experiments/first.yaml</span>' in (site / "tutorial.html").read_text()
    nested = (site / "matrix.html").read_text(encoding="utf-8")
    assert re.search(r"loaded by 4.57.6:\n?(</p>\n)?<ul>\n<li>(<p>)?CKP005", nested)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (Debian: apt install chromium)")
def test_it_opens_and_searches_from_the_file_system_without_a_network(site):
    from playwright.sync_api import sync_playwright

    requests, errors = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_context(offline=True).new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto((site / "tutorial.html").as_uri())
        page.locator("input.md-search__input").press_sequentially("bisect")  # the search reacts to key events
        page.locator(".md-search-result__item", has_text="ledger diff-env").first.wait_for(state="attached")
        browser.close()
    assert errors == []
    assert not [url for url in requests if not url.startswith(("file:", "data:"))]
