"""Handwritten logs in Markdown, in English or Japanese: the experiments and what is stated about each.

`outline` finds the structure, `attribution` the experiment that a line is about, and `statements`, `figures`
and `events` its content, by the words in `vocabulary`. `guards.claims` find contradictions.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ledger.errors import LedgerError
from ledger.evidence.imported_claims import Claimed, Statement, WrittenLog, name_different_things
from ledger.importers.markdown_log import events, figures
from ledger.importers.markdown_log.attribution import place
from ledger.importers.markdown_log.other_habits import read_runs
from ledger.importers.markdown_log.outline import read_lines
from ledger.importers.markdown_log.runs import claimed_runs
from ledger.importers.markdown_log.statements import COUNTED_OF, Placed, statements
from ledger.utils.textfiles import read_lines as read_text

KIND = "markdown"
SUFFIXES = (".md", ".markdown", ".txt")


def matches(path: Path) -> bool:
    """Whether it is a file with a suffix of Markdown or text."""
    return path.is_file() and path.suffix.lower() in SUFFIXES


def read(path: Path) -> Claimed:
    """The experiments of a log. Raises LedgerError if it names none, or is not UTF-8."""
    text = "\n".join(read_text(path))
    log, placed = read_log(text)
    if runs := claimed_runs(log, placed):
        return Claimed(KIND, runs, (path,), log=log)
    if runs := read_runs(text):
        return Claimed(KIND, runs, (path,))
    raise LedgerError(
        f"{path} names no experiment, and no table, heading or bullet in it has a name and a score",
        hint="start one with a heading such as `## Experiment 5: …`, `Exp 5`, `実験5` or `Version 56`",
    )


def read_log(text: str) -> tuple[WrittenLog, list[Placed]]:
    """Everything that a log states, and its lines with their contexts."""
    placed = [Placed(line, place(line)) for line in read_lines(text)]
    stated = _separate_labels(statements(placed), placed)
    named = tuple(events.namings(placed, stated))
    # A plan whose number was later given to another experiment was never carried out.
    dropped = {
        one.experiment for one in named if one.planned and any(name_different_things(one, o) for o in named)
    }
    placed = [one for one in placed if not (one.place.planned and one.place.experiment in dropped)]
    numbers = {one.line.number for one in placed}
    stated = [one for one in stated if one.line in numbers]
    lines = _lines(stated)
    return (
        WrittenLog(
            statements=tuple(_counted(stated, lines)),
            shares=tuple(figures.shares(placed, lines)),
            means=tuple(figures.means(placed)),
            results=tuple(events.results(placed)),
            namings=named,
            identities=tuple(events.identities(placed)),
            steps=tuple(events.steps(placed)),
            other_data=tuple(events.other_data(placed)),
        ),
        placed,
    )


def _lines(stated: Sequence[Statement]) -> dict[str, float]:
    """The number of lines of each experiment: as stated, else the total of its shares, if unambiguous."""
    sizes: dict[str, dict[str, set[float]]] = {"lines": {}, COUNTED_OF: {}}
    for one in stated:
        if one.key in sizes:
            sizes[one.key].setdefault(one.experiment, set()).add(one.value)
    found = {**sizes[COUNTED_OF], **sizes["lines"]}
    return {experiment: next(iter(values)) for experiment, values in found.items() if len(values) == 1}


def _counted(stated: Sequence[Statement], lines: dict[str, float]) -> list[Statement]:
    """The statements; bare counts become shares of the experiment's lines, or are left out without these."""
    found = []
    for one in stated:
        if one.key == COUNTED_OF:
            continue
        if not isinstance(one.value, dict):
            found.append(one)
        elif total := lines.get(one.experiment):
            found.append(replace(one, value=round(one.value["count"] / total, 12)))
    return found


def _separate_labels(stated: Sequence[Statement], placed: Sequence[Placed]) -> list[Statement]:
    """Give rates of one section that differ in their labels (English lines, English words) different keys."""
    lines = {one.line.number: one.line for one in placed}
    labels: dict[tuple[str, ...], set[str]] = {}

    def section(one: Statement) -> tuple[str, ...]:
        return (one.experiment, one.key, *lines[one.line].context)

    rates = [one for one in stated if one.kind == "rate" and not one.column and lines[one.line].labelled[0]]
    for one in rates:
        labels.setdefault(section(one), set()).add(lines[one.line].labelled[0])
    apart = {id(one) for one in rates if len(labels[section(one)]) > 1}
    return [
        replace(one, key=f"{one.key} ({lines[one.line].labelled[0]})") if id(one) in apart else one
        for one in stated
    ]
