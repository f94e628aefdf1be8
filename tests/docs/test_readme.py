"""The two READMEs agree, their links resolve, and the picture is self-contained and up to date."""

import html
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs/images/broken-checkpoint.svg"
PAGES = ("README.md", "README.ja.md")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)")
COMMENT = re.compile(r" {2,}# .*")
TEXT = re.compile(r'<text class="terminal-r\d+"[^>]*>(.*?)</text>')
DECIMAL = re.compile(r"\d+\.\d+")


def read(page):
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page):
    """Every code block, without the comments: those are translated."""
    return [(language, COMMENT.sub("", block)) for language, block in FENCE.findall(read(page))]


def test_both_readmes_have_the_same_code_blocks():
    assert blocks("README.md")
    assert blocks("README.md") == blocks("README.ja.md")


def test_both_readmes_have_the_same_sections_and_links():
    english, japanese = (read(page) for page in PAGES)
    assert english.count("\n## ") == japanese.count("\n## ")
    assert set(LINK.findall(english)) - {"README.ja.md"} == set(LINK.findall(japanese)) - {"README.md"}


@pytest.mark.parametrize("page", [*PAGES, "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"])
def test_every_link_leads_somewhere(page):
    dead = [link for link in LINK.findall(read(page)) if "://" not in link and not (ROOT / link).exists()]
    assert dead == []


def test_the_changelog_is_kept_for_the_version_to_come():
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    headings = re.findall(r"^## \[(.+?)\]", read("CHANGELOG.md"), re.MULTILINE)
    assert headings[0] in ("Unreleased", version)


def test_the_picture_needs_nothing_from_the_network():
    svg = PICTURE.read_text(encoding="utf-8")
    assert "@font-face" not in svg
    assert "url(http" not in svg
    assert "href=" not in svg


@pytest.mark.slow
def test_the_picture_shows_what_the_command_prints_today(tmp_path):
    new = tmp_path / "new.svg"
    subprocess.run([sys.executable, str(ROOT / "tools/terminal_picture.py"), str(new)], check=True)
    assert terminal_text(new) == terminal_text(PICTURE), "run tools/terminal_picture.py again"


def terminal_text(svg):
    """The text of the picture in reading order; numbers with decimals depend on the CPU."""
    parts = (html.unescape(part).strip("\xa0") for part in TEXT.findall(svg.read_text(encoding="utf-8")))
    return [DECIMAL.sub("#", part) for part in parts if part.strip()]
