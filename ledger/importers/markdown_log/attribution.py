"""Finds the experiment that a line is about, and the part of it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ledger.importers.markdown_log.outline import Line
from ledger.importers.markdown_log.vocabulary import (
    ATTEMPT,
    EXPERIMENT,
    FILE,
    FINAL,
    FUTURE,
    HOPED,
    LEARNED,
    PHASE,
    PLANNED,
    PREFIXES,
    SAMPLES,
    SETTINGS,
)

SCOPES = " / "  # between the headings and labels that make a scope
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class LineContext:
    """The context of a line. `experiments` are the owners of its section, usually one.

    `scope` names the attempt or configuration within the experiment. `is_done`: the line reports what was
    done, not plans, hopes, lessons or samples. `settings`: it is under a heading or label for settings.
    """

    experiments: tuple[str, ...]
    scope: str
    planned: bool
    is_done: bool
    settings: bool

    @property
    def experiment(self) -> str:
        """The experiment, or "" if there is none or more than one."""
        return self.experiments[0] if len(self.experiments) == 1 else ""


def experiments_in(text: str) -> tuple[str, ...]:
    """The experiments that a text names, in order: `Exp 5/7` names exp5 and exp7, `Version 56` v56."""
    found: dict[str, None] = {}
    for match in EXPERIMENT.finditer(text):
        prefix = PREFIXES.get(match["word"].lower(), "exp")
        found |= {f"{prefix}{int(number)}": None for number in _NUMBER.findall(match["numbers"])}
    return tuple(found)


def place(line: Line) -> LineContext:
    """The context of a line, by the innermost heading that names experiments without comparing them."""
    at = next((n for n in reversed(range(len(line.headings))) if owns(line.headings[n])), None)
    experiments = experiments_in(line.headings[at]) if at is not None else ()
    inner = line.context[at + 1 :] if at is not None else line.context
    if line.kind == "heading":
        inner = inner[: max(len(inner) - (at != len(line.headings) - 1), 0)]
    apart = [part for part in inner if _is_apart(part)]
    planned = any(PLANNED.search(title) for title in line.headings)
    not_done = any(pattern.search(part) for part in inner for pattern in (FUTURE, HOPED, LEARNED, SAMPLES))
    own_label = line.labelled[0]
    return LineContext(
        experiments=experiments,
        scope=SCOPES.join(apart),
        planned=planned,
        is_done=not not_done and not (own_label and HOPED.search(own_label)),
        settings=any(SETTINGS.search(part) for part in (*inner, own_label)),
    )


def _is_apart(part: str) -> bool:
    """Whether a heading or label starts a separate attempt or configuration."""
    is_final = FINAL.search(part) and SETTINGS.search(part)
    of_its_own = FILE.search(part) or PHASE.search(part)
    return bool(ATTEMPT.search(part) or experiments_in(part) or is_final or of_its_own)


def owns(heading: str) -> bool:
    """Whether a heading starts the section of the experiments that it names.

    `Experiment 5: …` and `Problem (Version 57)` do; `Compared with Exp 5` does not.
    """
    match = EXPERIMENT.search(heading)
    if match is None:
        return False
    before, after = heading[: match.start()], heading[match.end() :]
    if _LEAD.fullmatch(before):
        return not _COMPARED_WITH.match(after)
    return before.rstrip().endswith(("(", "（", ":", "：", "-", "–", "—")) and not _COMPARES.search(before)


_LEAD = re.compile(r"[\d.)\s#–—-]*")
_COMPARED_WITH = re.compile(r"\s*(との|と比|vs\b|versus\b|compared\b|against\b)", re.IGNORECASE)
_COMPARES = re.compile(r"比較|との|\b(vs|versus|compar\w*|against|than|from|like|as in)\b", re.IGNORECASE)


def mentioned_others(line: Line, experiments: Sequence[str]) -> tuple[str, ...]:
    """The experiments that a line names in addition to its own."""
    return tuple(one for one in experiments_in(line.text) if one not in experiments)
