"""Hooks of mkdocs: adapt the pages to the site.

The pages are written in GitHub's Markdown and converted to Python-Markdown's here. A folder in the navigation
is replaced by its pages. A command's page gets the text of `--help`, taken from click.
"""

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from guards.registry import families
from ledger.cli.main import COMMANDS

REFERENCE = """

## `--help`

::: mkdocs-click
    :module: {module}
    :command: command
    :prog_name: ledger {name}
    :depth: 2
"""
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
TITLED = re.compile(r"\A```(\w+) (\S+)$", re.MULTILINE)
LIST_AFTER_TEXT = re.compile(r"^(?![-*#|>] |\d+\. |  )(.+)\n(?=(?:- |\d+\. ))", re.MULTILINE)
NESTED = re.compile(r"^( {2,3})(?=- )", re.MULTILINE)


def on_config(config: Any) -> Any:
    """Expand the folders of the navigation, and format the examples in the help texts as code."""
    config.nav = list(_expanded(config.nav, Path(config.docs_dir)))
    for module, _ in COMMANDS.values():
        _indent_examples(import_module(module).command)
    return config


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """The page's text in Python-Markdown's syntax; below a command's page, its reference."""
    text = _python_markdown(markdown)
    path = Path(page.file.src_uri)
    if path.parent.name == "commands" and path.stem in COMMANDS:
        text += REFERENCE.format(module=COMMANDS[path.stem][0], name=path.stem)
    return text


def _expanded(entries: list[Any], docs: Path) -> Iterator[Any]:
    for entry in entries:
        if isinstance(entry, str) and entry.endswith("/"):
            yield from _pages(entry, docs)
        elif isinstance(entry, dict):
            ((title, value),) = entry.items()
            children = [value] if isinstance(value, str) and value.endswith("/") else value
            yield {title: list(_expanded(children, docs)) if isinstance(children, list) else value}
        else:
            yield entry


def _pages(folder: str, docs: Path) -> Iterator[Any]:
    """The pages of a folder, the index first: commands in order of use, guards by family, others by name."""
    if folder == "guards/":
        for family, guards in families().items():
            yield {family.capitalize(): [f"guards/{guard.CODE}.md" for guard in guards]}
        return
    remaining = {path.stem: f"{folder}{path.name}" for path in sorted((docs / folder).glob("*.md"))}
    first = ["README", *COMMANDS] if folder == "commands/" else ["README"]
    yield from (remaining.pop(name) for name in first if name in remaining)
    yield from remaining.values()


def _indent_examples(command: click.Command) -> None:
    if command.help:
        paragraphs = inspect.cleandoc(command.help).split("\n\n")
        command.help = "\n\n".join(_code(text) if text.startswith("\b\n") else text for text in paragraphs)
    for child in getattr(command, "commands", {}).values():
        _indent_examples(child)


def _code(paragraph: str) -> str:
    return "\n".join(f"    {line}" for line in paragraph.splitlines()[1:])


def _python_markdown(markdown: str) -> str:
    """Turn a fence's file name into its title; give lists the blank line and the indent that mkdocs needs."""
    fences = FENCE.findall(markdown)
    prose = FENCE.sub("\0", markdown)
    prose = NESTED.sub("    ", LIST_AFTER_TEXT.sub(r"\1\n\n", prose))
    titled = (TITLED.sub(r'```\1 title="\2"', fence) for fence in fences)
    return re.sub("\0", lambda _: next(titled), prose)
