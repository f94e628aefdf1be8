"""Drawing for people: reports, samples and tables with rich. Decides nothing."""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from ledger.evidence.scores import Scores
from ledger.evidence.text import LineSample, TextEvidence
from ledger.findings import Json, Report, Severity, Verdict

MARKS = {
    Severity.ERROR: ("error", "bold red"),
    Severity.WARNING: ("warning", "yellow"),
    Severity.INFO: ("note", "cyan"),
}
VERDICTS = {Verdict.PASS: "bold green", Verdict.FAIL: "bold red", Verdict.INCONCLUSIVE: "bold yellow"}


def make_console(*, stderr: bool = False) -> Console:
    """A console without colour in a pipe and 80 columns wide where nothing tells the width."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else 80
    return Console(file=stream, width=width, highlight=False, soft_wrap=False)


def report_table(report: Report, *, title: str = "") -> Table:
    """One row per finding, then one per reason to skip, then the codes that passed in one row."""
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for heading, options in {"guard": {"no_wrap": True}, "says": {"no_wrap": True}, "about": {}}.items():
        table.add_column(heading, **options)  # type: ignore[arg-type]
    for finding in sorted(report.findings, key=lambda f: (-f.severity, f.code)):
        word, style = MARKS[finding.severity] if finding.accepted is None else ("accepted", "dim")
        accepted = f" ({finding.accepted})" if finding.accepted else ""
        table.add_row(finding.code, Text(word, style), Text(finding.message + accepted))
    skipped: dict[str, list[str]] = {}
    for skip in report.skips:
        skipped.setdefault(skip.reason, []).append(skip.code)
    for reason, (first, *others) in skipped.items():
        also = f" (so are {', '.join(others)})" if others else ""
        table.add_row(first, Text("skipped", "dim"), Text(reason + also))
    if report.passed:
        table.add_row("", Text("passed", "green"), Text(", ".join(report.passed)))
    return table


def verdict_line(report: Report, subject: str) -> Text:
    """The last line: the verdict, of what."""
    return Text.assemble((report.verdict.upper(), VERDICTS[report.verdict]), f"  {subject}")


def lines(texts: Iterable[str]) -> Group:
    """Plain lines, unwrapped markup left alone."""
    return Group(*(Text(text) for text in texts))


def explanation(title: str, sections: Mapping[str, str]) -> Group:
    """A title, then each section's text under its heading."""
    parts: list[RenderableType] = [Text(title, "bold")]
    for heading, text in sections.items():
        parts += [Text(""), Text(heading, "cyan"), Text(text)]
    return Group(*parts)


def pairs(rows: Iterable[tuple[str, str]]) -> Table:
    """Names and what they stand for, in two columns."""
    table = Table.grid(padding=(0, 2))
    for name, text in rows:
        table.add_row(Text(name, no_wrap=True), Text(text))
    return table


def scores_lines(scores: Scores) -> Group:
    """Each score over its signature, then the token counts that BLEU's tokenizer made."""
    rows: list[Text] = []
    for name, metric in (("BLEU", scores.bleu), ("chrF++", scores.chrf)):
        rows += [Text(f"{name} {metric.value:.2f} of {metric.scale[1]:g}"), Text(metric.signature, "dim")]
    counts = f"{scores.output_tokens:,} output tokens, {scores.reference_tokens:,} in the reference"
    return Group(*rows, Text(f"{counts}; brevity penalty {scores.brevity_penalty:.3f}"))


def samples_table(text: TextEvidence) -> Table:
    """The worst lines of each code that flagged any: line number, source and output, one row each."""
    table = Table(box=None, pad_edge=False, expand=True)
    for heading in ("guard", "line"):
        table.add_column(heading, no_wrap=True, justify="right" if heading == "line" else "left")
    for heading in ("source", "output"):
        table.add_column(heading, no_wrap=True, overflow="ellipsis", ratio=1)
    for code, flagged in sorted(text.flagged.items()):
        for sample in flagged.worst:
            source = "" if sample.source is None else visible(sample.source)
            table.add_row(code, f"{sample.number:,}", Text(source), Text(visible(sample.output) or "(empty)"))
    return table


def translations_table(samples: Sequence[LineSample], reference: Sequence[str] = ()) -> Table:
    """Sample lines: number, source, output, and the reference where there is one."""
    table = Table(title="samples", title_justify="left", box=None, pad_edge=False)
    table.add_column("line", no_wrap=True, justify="right")
    for heading in ("source", "output", *(["reference"] if reference else [])):
        table.add_column(heading, overflow="fold", ratio=1)
    for sample in samples:
        texts = [sample.source or "", sample.output, *([reference[sample.number - 1]] if reference else [])]
        table.add_row(f"{sample.number:,}", *(Text(visible(text)) for text in texts))
    return table


def visible(text: str) -> str:
    """The text with characters that a terminal would obey or hide made visible."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def checkpoints_table(rows: Iterable[Mapping[str, Json]]) -> Table:
    """One row per save: BLEU (0-100) of the same lines in memory and reloaded, the verdict, its cost.

    Saves of which none has a BLEU have no columns for it.
    """
    rows = list(rows)
    sides = [side for side in ("memory", "reloaded") if any(row[side] is not None for row in rows)]
    table = Table(title="checkpoints", title_justify="left", box=None, pad_edge=False)
    table.add_column("step", justify="right")
    for side in sides:
        table.add_column(f"BLEU {'in ' if side == 'memory' else ''}{side}", justify="right")
    for heading in ("verdict", "save s", "evidence s"):
        table.add_column(heading, justify="left" if heading == "verdict" else "right")
    for row in rows:
        scores = ["-" if row[side] is None else f"{row[side]:.2f}" for side in sides]
        verdict = Verdict(row["verdict"])
        costs = [f"{row[cost]:.2f}" for cost in ("save_seconds", "evidence_seconds")]
        table.add_row(f"{row['step']:,}", *scores, Text(verdict.upper(), VERDICTS[verdict]), *costs)
    return table


def family_table(family: Mapping[str, Json]) -> Table:
    """One row per member of a family of metrics: its value, the parent run's, and over how many examples."""
    parent = family.get("parent")
    table = Table(title=family["name"], title_justify="left", box=None, pad_edge=False)
    for heading in ("", "this run", *(["parent"] if parent else []), "windows"):
        table.add_column(heading, justify="right" if heading else "left")
    for member in family["members"]:
        values = [member["value"], *([member["parent"]] if parent else [])]
        shown = ["-" if value is None else f"{value:+.4f}" for value in values]
        table.add_row(Text(visible(member["name"])), *shown, f"{member['count']:,}")
    return table


def plain_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Texts in columns, the last of which takes the room that is left."""
    table = Table(box=None, pad_edge=False)
    for place, heading in enumerate(headings):
        table.add_column(heading, no_wrap=place < len(headings) - 1)
    for row in rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    return table
