"""Shows a reproduction on the terminal."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from ledger.commands.reproduce.outcome import Reproduction
from ledger.display.results import lines, pairs, report_table, verdict_line
from ledger.display.table import Table
from ledger.evidence import Evidence
from ledger.evidence.reproduction import ExitTrace, OutputTrace, TrainingTrace
from ledger.evidence.suspects import Suspect
from ledger.findings import Json
from ledger.utils.mapping_diff import Difference
from ledger.utils.plural import count
from ledger.utils.text import shorten

MOST_SHOWN = 8
WORDS = {"identical": "bit-identical", "within tolerance": "within tolerance", "different": "DIFFERENT"}


def view(done: Reproduction) -> list[RenderableType]:
    """The whole result, the verdict last."""
    if done.again is None:
        return [*_missing(done), "", verdict_line(done.report, f"{done.run.id} was not repeated")]
    return [
        *_settings(done.settings),
        *_suspects(done.suspects),
        *_first(done),
        *_findings(done),
        verdict_line(done.report, f"{done.run.id} repeated in {done.seconds:.0f} s: {_answer(done)}"),
        lines(_details(done)),
    ]


def _missing(done: Reproduction) -> Iterator[RenderableType]:
    are = "are" if len(done.missing) > 1 else "is"
    yield Text(f"{count(len(done.missing), 'prerequisite')} {are} missing", "bold")
    yield pairs((one.name, one.reason) for one in done.missing)


def _settings(settings: Sequence[Difference]) -> Iterator[RenderableType]:
    yield from _table("changed settings", [(one.path, one.before, one.after) for one in settings])


def _suspects(suspects: Sequence[Suspect]) -> Iterator[RenderableType]:
    """Differences that can change results; the others are only counted."""
    hard = [one for one in suspects if one.hard]
    rows = {
        heading: [(one.name, one.before, one.after) for one in hard if (one.kind == "setting") is is_setting]
        for heading, is_setting in (("environment", False), ("effective configuration", True))
    }
    for heading, shown in rows.items():
        yield from _table(f"{heading}: differences, the most suspicious first", shown)
    left_out = len(suspects) - sum(len(shown[:MOST_SHOWN]) for shown in rows.values())
    if left_out:
        yield Text(f"{count(left_out, 'less important difference')} in --json\n", "dim")


def _table(heading: str, rows: Sequence[tuple[str, Json, Json]]) -> Iterator[RenderableType]:
    if not rows:
        return
    shown = [(what, _shown(before), _shown(after)) for what, before, after in rows[:MOST_SHOWN]]
    yield Text(heading, "bold")
    yield Table(("", "then", "now"), shown)
    yield Text("")


def _shown(value: Json) -> str:
    return "-" if value is None else shorten(str(value), 60)


def _first(done: Reproduction) -> Iterator[RenderableType]:
    """The first line that differs, then and now."""
    evidence = done.report.findings[0].evidence if done.report.findings else {}
    first = evidence.get("first")
    if first:
        yield Text(f"line {first['line']:,} is the first that differs", "bold")
        sides = ("source", "then", "now")
        yield pairs((side, first[side]) for side in sides if first.get(side) is not None)
        yield ""


def _findings(done: Reproduction) -> Iterator[RenderableType]:
    if done.report.findings:
        yield report_table(done.report, title="guards")
        yield ""


def _answer(done: Reproduction) -> str:
    assert done.result is not None
    return f"{WORDS[done.result]}{_extent(done.expected) if done.result == 'identical' else ''}"


def _extent(expected: Evidence) -> str:
    """How much was compared."""
    match expected.get(OutputTrace), expected.get(TrainingTrace), expected.get(ExitTrace):
        case OutputTrace() as output, _, _:
            return f", {len(output.lines):,} lines" if output.lines is not None else ""
        case _, TrainingTrace() as training, _:
            return f", {len(training.losses):,} losses and {len(training.saves):,} checkpoints"
        case _, _, ExitTrace() as ended:
            return f" as far as recorded: exit code {ended.exit_code}"
    return ""


def _details(done: Reproduction) -> Iterator[str]:
    output = done.expected.get(OutputTrace)
    if done.result == "identical" and isinstance(output, OutputTrace):
        yield f"sha256:{output.sha256}"
    if done.output_folder:
        yield f"its output: {done.output_folder}"
    yield from (f"not compared: {skip.reason}" for skip in done.report.skips)
