"""`ledger check`: the text and score guards on any output file."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.cli.output import console, emit, exit_for, json_option
from ledger.errors import UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ledger.commands.check import CheckedOutput
    from ledger.commands.comet import Scorer
    from ledger.findings import Json

FILE = click.Path(path_type=Path)


def _limits(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, float]:
    """Parse limits such as `TXT003=0.1`; the last one of a code counts."""
    limits = {}
    for text in given:
        code, _, rate = text.partition("=")
        try:
            limits[code.strip().upper()] = float(rate)
        except ValueError as error:
            raise UsageError(
                f"invalid limit: --max {text}", hint="write CODE=RATE, such as --max TXT003=0.1"
            ) from error
    return limits


@click.command("check")
@click.argument("output", type=FILE)
@click.option("--source", type=FILE, help="The source text, one line for each line of OUTPUT.")
@click.option(
    "--reference",
    "references",
    type=FILE,
    multiple=True,
    help="A reference translation to score against, line by line; repeatable.",
)
@click.option("--lang", "language", help="The expected language of OUTPUT: ja, ko_KR, eng_Latn.")
@click.option("--marker", "markers", multiple=True, help="Text that marks a failed line; repeatable.")
@click.option(
    "--max",
    "max_rate",
    multiple=True,
    callback=_limits,
    metavar="CODE=RATE",
    help="Allow this rate (0-1) of lines for a code; repeatable.",
)
@click.option("--min-bleu", type=float, help="The lowest BLEU (0-100) that passes.")
@click.option("--comet", metavar="MODEL", help="Also score with this COMET model: a hub name or a folder.")
@click.option("--min-comet", type=float, help="The lowest COMET (times 100) that passes.")
@click.option("--flagged", type=FILE, help="Write the flagged lines to this file, as JSONL.")
@click.option(
    "--kept",
    type=FILE,
    metavar="PREFIX",
    help="Write the other lines to PREFIX.output and, with --source, PREFIX.source.",
)
@click.option(
    "--drop", "dropped_codes", multiple=True, metavar="CODE", help="Leave these out of --kept; repeatable."
)
@json_option
def command(
    output: Path,
    source: Path | None,
    references: tuple[Path, ...],
    language: str | None,
    markers: tuple[str, ...],
    max_rate: dict[str, float],
    min_bleu: float | None,
    comet: str | None,
    min_comet: float | None,
    flagged: Path | None,
    kept: Path | None,
    dropped_codes: tuple[str, ...],
    as_json: bool,
) -> int:
    """Check the text in OUTPUT and, with --reference, its scores.

    \b
    ledger check out.ja --lang ja
    ledger check out.ja --source in.ko --reference ref.ja --lang ja --max TXT003=0.1
    ledger check out.ja --source in.ko --lang ja --flagged flagged.jsonl --kept clean

    A guard whose input is missing (a source, a language) is listed as skipped.
    """
    from guards.text.failed import DEFAULT_MARKERS
    from ledger.commands.check import CheckRequest, check_files
    from ledger.evidence.scores import ScoreLimits

    request = CheckRequest(
        output=output,
        source=source,
        references=references,
        language=language,
        markers=markers or DEFAULT_MARKERS,
        max_rate=max_rate,
        score_limits=ScoreLimits(min_bleu=min_bleu, min_comet=min_comet),
        flagged=flagged,
        kept=kept,
        dropped_codes=tuple(code.strip().upper() for code in dropped_codes),
        comet=comet_scorer(comet) if comet else None,
    )
    with console(stderr=True).status(f"checking {output}"):
        checked = check_files(request)
    emit(_document(output, checked), as_json, *_human(output, checked))
    return exit_for(checked.report)


def comet_scorer(model: str) -> "Scorer":
    """Scores by this COMET model, with progress on standard error."""
    from ledger.cli.run import TerminalReporter
    from ledger.commands.comet import comet_scores

    return partial(comet_scores, model, TerminalReporter())


def _document(output: Path, checked: "CheckedOutput") -> dict[str, "Json"]:
    from dataclasses import asdict

    from ledger.evidence.scores import Scores

    return {
        **checked.report.to_json(),
        "output": str(output),
        "lines": checked.text.lines,
        "scores": asdict(checked.scores) if isinstance(checked.scores, Scores) else None,
        "normalized_scores": asdict(checked.normalized) if checked.normalized else None,
        "comet": asdict(checked.comet.metric) if checked.comet else None,
        "rates": checked.rates,
        "kept": checked.kept.to_json() if checked.kept else None,
    }


def _human(output: Path, checked: "CheckedOutput") -> list["RenderableType"]:
    from ledger.display.results import lines, report_table, samples_table, scores_lines, verdict_line
    from ledger.evidence.scores import Scores
    from ledger.utils.plural import count

    parts: list[RenderableType] = [report_table(checked.report), lines([""])]
    if isinstance(checked.scores, Scores):
        parts += [scores_lines(checked.scores, checked.normalized), lines([""])]
    if checked.comet:
        metric = checked.comet.metric
        parts += [lines([f"COMET {metric.value:.2f}, {metric.signature}", ""])]
    if any(flagged.worst for flagged in checked.text.flagged.values()):
        parts += [samples_table(checked.text), lines([""])]
    if kept := checked.kept:
        written = (
            f"kept {count(kept.kept, 'line')} of {kept.kept + kept.dropped:,} in {' and '.join(kept.files)}"
        )
        parts += [lines([written, ""])]
    return [*parts, verdict_line(checked.report, f"{output}, {count(checked.text.lines, 'line')}")]
