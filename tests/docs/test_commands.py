"""The commands in the documentation work: console blocks are run and compared, any other command is parsed.

Each block of a page starts in the folder where the one before ended. A YAML block with a path after its
language is written to that file.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

from ledger.cli.main import COMMANDS, cli

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = (
    "commands/README.md",
    "commands/check.md",
    "commands/compare.md",
    "commands/explain.md",
    "commands/import.md",
    "commands/init.md",
    "commands/run.md",
    "howto/check-output.md",
    "howto/import-log.md",
    "howto/own-script.md",
    "tutorial.md",
)
JOURNAL_PAGES = tuple(
    f"commands/{name}.md"
    for name in ("log", "show", "fsck", "accept", "note", "skip", "ps", "export", "diff-env")
)
# Pages whose console blocks have tests of their own: test_case_study.py and tests/ledger/specs/test_docs.py.
ELSEWHERE = ("case-study.md", "specs.md")
JOURNAL = ROOT / "tests/data/journals/v1.jsonl"
BLOCK = re.compile(r"^```(console|yaml (?=\S)) *(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANY_BLOCK = re.compile(r"^```(?:text|sh|console)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EVERY_PAGE = [
    *sorted(ROOT.glob("*.md")),
    *(path for path in sorted(DOCS.rglob("*.md")) if "adr" not in path.parts),
]
DIFFERS = re.compile(r"(…| *(?<![\w.])\d+\.\d+(?![\w.]))")
IDENTITY = "[user]\n\tname = Ana\n\temail = ana@example.org\n"


def steps(page):
    """The files of a page as (path, text), and its commands as (command, expected lines)."""
    for language, name, block in BLOCK.findall((DOCS / page).read_text(encoding="utf-8")):
        if language != "console":
            yield Path(name), block
            continue
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, claimed = step.partition("\n")
            yield command, [line.rstrip() for line in claimed.rstrip().splitlines()]


def pattern(claimed):
    """A regular expression for the lines: "…" matches what differs between runs; alone, any number of lines.

    Decimal numbers (BLEU, seconds) may differ too: another type of CPU rounds differently.
    """
    lines = (
        r"(?:.*\n)*?" if line == "…" else "".join(map(_literal_or_varying, DIFFERS.split(line))) + r"\n"
        for line in claimed
    )
    return "".join(lines)


def _literal_or_varying(text):
    if text == "…":
        return ".+"
    return r" *\d+\.\d+" if DIFFERS.fullmatch(text) else re.escape(text)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_what_its_commands_print(page, tmp_path):
    folder, end = tmp_path / "work", tmp_path / "folder"
    folder.mkdir(exist_ok=True)
    (tmp_path / "gitconfig").write_text(IDENTITY)
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig"),
        "LEDGER_SEND": "never",
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
    }
    environment.pop("COLUMNS", None)
    ran = 0
    for step, expected in steps(page):
        if isinstance(step, Path):
            (folder / step).write_text(expected, encoding="utf-8")
            continue
        done = subprocess.run(
            ["bash", "-c", f"{step}\npwd > '{end}'"],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        shown = "".join(f"{line.rstrip()}\n" for line in done.stdout.rstrip().splitlines())
        assert re.fullmatch(pattern(expected), shown), f"{step}\n{shown}"
        folder = Path(end.read_text().rstrip("\n"))
        ran += 1
    assert ran


@pytest.mark.parametrize("page", JOURNAL_PAGES)
def test_a_page_on_the_journal_shows_what_its_commands_print(page, tmp_path):
    (tmp_path / "work/experiments").mkdir(parents=True)
    shutil.copy(JOURNAL, tmp_path / "work/experiments/ledger.jsonl")
    subprocess.run(["git", "init", "-q", "-b", "main", str(tmp_path / "work")], check=True)
    test_a_page_shows_what_its_commands_print(page, tmp_path)


def test_every_console_block_is_run():
    pages = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md") if "```console" in path.read_text()}
    assert pages == {*PAGES, *JOURNAL_PAGES, *ELSEWHERE}, "use ```text for a block that cannot be run"
    assert "```console" not in (ROOT / "README.md").read_text(encoding="utf-8")


def written_commands(page):
    """The arguments of every line in a code block of the page that calls ledger."""
    for block in ANY_BLOCK.findall(page.read_text(encoding="utf-8")):
        for line in block.splitlines():
            if called := re.match(r" *(?:\$ )?(?:[A-Z_]+=\S+ )*ledger ((?:[a-z]|-).*)$", line):
                command = re.split(r" [|>&] | && |\s{2,}|…", called[1])[0]
                yield shlex.split(command, comments=True)


@pytest.mark.parametrize("page", EVERY_PAGE, ids=lambda page: page.stem)
def test_every_documented_command_can_be_parsed(page):
    for arguments in written_commands(page):
        name, rest = arguments[0], arguments[1:]
        assert name in COMMANDS, arguments
        try:
            parse(import_module(COMMANDS[name][0]).command, name, rest)
        except click.UsageError as error:
            pytest.fail(f"ledger {shlex.join(arguments)}: {error.format_message()}")


def parse(command, name, arguments):
    """Parse without running; in a group, the subcommand."""
    if isinstance(command, click.Group) and arguments[0] in command.commands:
        parse(command.commands[arguments[0]], arguments[0], arguments[1:])
    else:
        command.make_context(name, list(arguments))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_page_that_names_its_options(name):
    text = (DOCS / "commands" / f"{name}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# ledger {name}\n")
    for option in options_of(import_module(COMMANDS[name][0]).command):
        assert option in text, f"docs/commands/{name}.md does not name {option}"


def options_of(command):
    """The long options of a command and of its subcommands."""
    for parameter in command.params:
        yield from (option for option in parameter.opts if option.startswith("--"))
    for sub in getattr(command, "commands", {}).values():
        yield from options_of(sub)


def leaves(command, path):
    """All commands and subcommands that are not groups, with the words that call them."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    for name in command.list_commands(None):
        yield from leaves(command.get_command(None, name), f"{path} {name}")


def test_every_help_has_an_example():
    without = [path for path, command in leaves(cli, "ledger") if path not in (command.help or "")]
    assert not without
