"""Results as people read them on a terminal: reports, scores, samples and checkpoints."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.console import Console, ConsoleOptions, ConsoleRenderable, Group, RenderableType, RenderHook
from rich.segment import Segment
from rich.text import Text

from ledger.display.table import Column, Table, styled
from ledger.evaluation.normalized_scores import NORMALIZED
from ledger.evidence.scores import Scores
from ledger.evidence.text import LineSample, TextEvidence
from ledger.findings import Json, Report, Severity, Verdict
from ledger.utils.escape import printable
from ledger.utils.plural import count

MARKS = {
    Severity.ERROR: styled("error", "bold red"),
    Severity.WARNING: styled("warning", "yellow"),
    Severity.INFO: styled("note", "cyan"),
}
NOT_VERIFIED = "CKP001"
COSTS = ("save_seconds", "evidence_seconds")
VERDICTS = {Verdict.PASS: "bold green", Verdict.FAIL: "bold red", Verdict.INCONCLUSIVE: "bold yellow"}


def make_console(*, stderr: bool = False) -> Console:
    """A console without colour in a pipe, 80 columns wide if neither a terminal nor COLUMNS gives a width."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else 80
    made = Console(file=stream, width=width, highlight=False, soft_wrap=False)
    made.push_render_hook(_Escaping())
    return made


class _Escaping(RenderHook):
    """Escapes the text of whatever is printed; styles and rich's own control codes pass."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """The same renderables, escaped."""
        return [_Escaped(one) for one in renderables]


class _Escaped:
    def __init__(self, inner: ConsoleRenderable) -> None:
        self._inner = inner

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for segment in console.render(self._inner, options):
            if segment.control is None and not segment.text.isprintable():
                yield Segment(printable(segment.text), segment.style)
            else:
                yield segment


def report_table(report: Report, *, title: str = "", brief: bool = False) -> Table:
    """One row for each finding, then one for each reason to skip, then the codes that passed in one row.

    A `brief` table has the findings, and of the skips only those of guards that were asked for and those
    of checkpoints that were not verified.
    """
    rows: list[tuple[str, str, str]] = []
    for finding in sorted(report.findings, key=lambda f: (-f.severity, f.code)):
        mark = MARKS[finding.severity] if finding.accepted is None else styled("accepted", "dim")
        accepted = f" ({finding.accepted})" if finding.accepted else ""
        rows.append((finding.code, mark, (finding.message + accepted).replace("\n", " ")))
    skipped: dict[str, list[str]] = {}
    for skip in report.skips:
        if skip.required or skip.code == NOT_VERIFIED or not brief:
            skipped.setdefault(skip.reason, []).append(skip.code)
    for reason, (first, *others) in skipped.items():
        also = f" (also {', '.join(others)})" if others else ""
        rows.append((first, styled("skipped", "dim"), reason + also))
    if report.passed and not brief:
        rows.append(("", styled("passed", "green"), ", ".join(report.passed)))
    return Table((Column("guard", "whole"), Column("result", "whole"), "message"), rows, title)


def left_out(report: Report) -> str:
    """How many guards a brief table leaves out, in one sentence; empty if there are none."""
    passed = len(set(report.passed))
    skipped = len({skip.code for skip in report.skips if not skip.required} - {NOT_VERIFIED})
    parts = [f"{count(passed, 'guard')} passed"] if passed else []
    if skipped:
        parts.append(f"{count(skipped, 'guard')} had nothing to check")
    return f"{', '.join(parts)} (-v lists them)" if parts else ""


def verdict_line(report: Report, subject: str) -> Text:
    """The last line: the verdict and what it is about."""
    return Text.assemble((report.verdict.upper(), VERDICTS[report.verdict]), f"  {subject}")


def lines(texts: Iterable[str]) -> Group:
    """Plain lines: nothing in them is taken for markup."""
    return Group(*(Text(text) for text in texts))


def explanation(title: str, sections: Mapping[str, str]) -> Group:
    """A title, then each section's text under its heading."""
    parts: list[RenderableType] = [Text(title, "bold")]
    for heading, text in sections.items():
        parts += [Text(""), Text(heading, "cyan"), Text(text)]
    return Group(*parts)


def pairs(rows: Iterable[tuple[str, str]]) -> Table:
    """Names and their values in two columns without headings."""
    return Table((Column(fit="whole"), Column()), list(rows))


def scores_lines(scores: Scores, normalized: Scores | None = None) -> Group:
    """Each score above its signature, then the token counts of BLEU's tokenizer.

    `normalized` are the scores after normalising the Unicode form of all texts.
    """
    rows: list[Text] = []
    for name, field in (("BLEU", "bleu"), ("chrF++", "chrf")):
        metric = getattr(scores, field)
        after = f", {getattr(normalized, field).value:.2f} with {NORMALIZED}" if normalized else ""
        rows += [
            Text(f"{name} {metric.value:.2f} of {metric.scale[1]:g}{after}"),
            Text(metric.signature, "dim"),
        ]
    counts = f"{scores.output_tokens:,} output tokens, {scores.reference_tokens:,} in the reference"
    return Group(*rows, Text(f"{counts}; brevity penalty {scores.brevity_penalty:.3f}"))


def samples_table(text: TextEvidence) -> Table:
    """The worst lines of each code that flagged any: line number, source and output, one row each."""
    rows = [
        (code, f"{sample.number:,}", sample.source or "", sample.output or "(empty)")
        for code, flagged in sorted(text.flagged.items())
        for sample in flagged.worst
    ]
    columns = Column("guard", "whole"), Column("line", "whole", right=True)
    return Table((*columns, Column("source", "cut"), Column("output", "cut")), rows)


def translations_table(samples: Sequence[LineSample], reference: Sequence[str] = ()) -> Table:
    """Sample lines: number, source, output, and the reference where there is one."""
    rows = [
        (
            f"{sample.number:,}",
            sample.source or "",
            sample.output,
            *([reference[sample.number - 1]] if reference else []),
        )
        for sample in samples
    ]
    texts = "source", "output", *(["reference"] if reference else [])
    return Table((Column("line", "whole", right=True), *texts), rows, "samples")


def checkpoints_table(checkpoints: Iterable[Mapping[str, Json]]) -> Table:
    """One row for each checkpoint: BLEU (0-100) of the same sample lines in memory and reloaded, verdict.

    A BLEU column that would be empty is left out. A checkpoint with the very weights of an earlier one, such
    as a final folder that holds the best, names it.
    """
    checkpoints = list(checkpoints)
    sides = [side for side in ("memory", "reloaded") if any(row[side] is not None for row in checkpoints)]
    names = distinct_names([row.get("path") or f"checkpoint-{row['step']}" for row in checkpoints])
    first: dict[str, str] = {}
    rows = []
    for name, row in zip(names, checkpoints, strict=True):
        equal = first.setdefault(row.get("tensors") or name, name)
        rows.append(
            (
                name if equal == name else f"{name} (= {equal})",
                f"{row['step']:,}",
                *("-" if row[side] is None else f"{row[side]:.2f}" for side in sides),
                styled(row["verdict"].upper(), VERDICTS[Verdict(row["verdict"])]),
                *("-" if row.get(cost) is None else f"{row[cost]:.2f}" for cost in COSTS),
            )
        )
    bleu = (f"BLEU {'in ' if side == 'memory' else ''}{side}" for side in sides)
    right = [Column(heading, "whole", right=True) for heading in ("step", *bleu, "save s", "evidence s")]
    columns = Column("checkpoint"), *right[:-2], Column("verdict", "whole"), *right[-2:]
    return Table(columns, rows, "checkpoints, with the BLEU of sample lines" if sides else "checkpoints")


def distinct_names(paths: Sequence[str]) -> list[str]:
    """The last part of each path, and as many before it as distinguish all the paths.

    >>> distinct_names(["a/out/checkpoint-1", "b/out/checkpoint-1"])
    ['a/out/checkpoint-1', 'b/out/checkpoint-1']
    """
    parts = [path.split("/") for path in paths]
    names = list(paths)
    for length in range(max(map(len, parts), default=0), 0, -1):
        shorter = ["/".join(one[-length:]) for one in parts]
        if len(set(shorter)) < len(set(paths)):
            break
        names = shorter
    return names


def family_table(family: Mapping[str, Json]) -> Table:
    """One row for each member of a family of metrics: its value, the parent run's, and its windows."""
    parent = family.get("parent")
    rows = []
    for member in family["members"]:
        values = [member["value"], *([member["parent"]] if parent else [])]
        shown = ["-" if value is None else f"{value:+.4f}" for value in values]
        rows.append((member["name"], *shown, f"{member['count']:,}"))
    headings = "this run", *(["parent"] if parent else []), "windows"
    return Table(("", *(Column(one, "whole", right=True) for one in headings)), rows, family["name"])


def plain_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Texts in columns, of which only the last one folds."""
    *fixed, last = headings
    return Table((*(Column(heading, "whole") for heading in fixed), last), list(rows))
