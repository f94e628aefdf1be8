"""`ledger verify`: check that a checkpoint is complete and works after a reload."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.checkpoints.levels import LEVELS
from ledger.cli import complete
from ledger.cli.output import echo, emit, exit_for, json_option
from ledger.errors import Exit, LedgerError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import RenderableType

    from ledger.checkpoints.levels import Level
    from ledger.commands.verify.values import NextCommand, VerificationResult
    from ledger.display.table import Table
    from ledger.evidence.metrics import Metric
    from ledger.findings import Json, Report
    from ledger.workspace import Workspace

FOLDER = click.Path(path_type=Path)
FILE = click.Path(path_type=Path)
MORE = "for the meaning of a code and what to do: ledger explain CODE"


def _claims(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, float]:
    claims = {}
    for text in given:
        metric, _, value = text.partition("=")
        try:
            claims[metric.strip().lower()] = float(value)
        except ValueError as error:
            hint = "write METRIC=VALUE, such as --claim bleu=98.2"
            raise UsageError(f"invalid score: --claim {text}", hint=hint) from error
    return claims


@click.command("verify")
@click.argument("checkpoints", nargs=-1, type=FOLDER, metavar="CHECKPOINT...")
@click.option("--source", type=FILE, help="Lines to translate, if the checkpoint stores none.")
@click.option("--reference", type=FILE, help="Their reference translation, to score against.")
@click.option("--lang", "language", help="The language of the reference, for scores and guards: ja, ko.")
@click.option("--source-code", metavar="CODE", help="The source language as the tokenizer writes it: ko_KR.")
@click.option("--target-code", metavar="CODE", help="The target language as the tokenizer writes it: ja_XX.")
@click.option(
    "--prefix", metavar="TEXT", help='The words before each line, for T5: "translate Korean to ...:".'
)
@click.option(
    "--claim",
    "claims",
    multiple=True,
    callback=_claims,
    metavar="METRIC=X",
    help="A score to check the checkpoint against; may be repeated.",
)
@click.option("--full", is_flag=True, help="Also translate all lines with the checkpoint's own settings.")
@click.option(
    "--run",
    "run",
    metavar="RUN",
    shell_complete=complete.runs,
    help="The run that saved the checkpoint, if the checkpoint does not name it.",
)
@click.option(
    "--env",
    "lockfile",
    metavar="LOCK",
    shell_complete=complete.lockfiles,
    help="Reload in the environment of this lockfile.",
)
@click.option("--python", "interpreter", type=FILE, help="Reload with this interpreter.")
@click.option(
    "--device", default="cpu", show_default=True, help="The device to reload on: cpu, cuda or auto."
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    help="Give up if a reload reports nothing for this many seconds.",
)
@click.option("--last", type=FOLDER, metavar="DIR", help="Print the newest verified checkpoint in DIR.")
@click.option(
    "--level", type=click.Choice(LEVELS), help="With --last: require a checkpoint verified to this level."
)
@json_option
def command(
    checkpoints: tuple[Path, ...],
    source: Path | None,
    reference: Path | None,
    language: str | None,
    source_code: str | None,
    target_code: str | None,
    prefix: str | None,
    claims: dict[str, float],
    full: bool,
    run: str | None,
    lockfile: str | None,
    interpreter: Path | None,
    device: str,
    timeout: float | None,
    last: Path | None,
    level: "Level | None",
    as_json: bool,
) -> int:
    """Reload each CHECKPOINT in a fresh process and check the result.

    \b
    ledger verify out/checkpoint-6000
    ledger verify out/checkpoint-* --env mt-5.0.0
    ledger verify theirs --source in.ko --reference ref.ja --lang ja --claim bleu=33
    ledger verify --last out

    The model is given the language codes that the checkpoint itself states, or those
    of --source-code and --target-code; --lang only says what the text is.

    A checkpoint that was saved under the ledger stores evidence of the model in
    memory, and the reloaded model is compared with it. For any other checkpoint,
    guards without evidence are listed as skipped.
    """
    if last is not None:
        if checkpoints:
            raise UsageError(
                "--last takes no CHECKPOINT: it verifies nothing", hint="ledger verify --last DIR"
            )
        return _print_last(last, level, as_json)
    if level is not None:
        raise UsageError("--level is for --last", hint="ledger verify --last DIR --level LEVEL")
    if not checkpoints:
        raise UsageError("which checkpoint?", hint="ledger verify CHECKPOINT, or: ledger verify --last DIR")
    if prefix and target_code:
        raise UsageError("--prefix and --target-code exclude each other", hint="T5 takes the prefix")
    if lockfile and interpreter:
        raise UsageError("--env and --python exclude each other", hint="give one of them")
    from ledger.commands.verify.given_lines import reload_options
    from ledger.commands.verify.values import VerifyRequest
    from ledger.commands.verify.verify import verify

    workspace = _workspace()
    request = VerifyRequest(
        checkpoints=checkpoints,
        interpreter=(interpreter or Path(sys.executable)).absolute(),
        lockfile=lockfile,
        options=replace(
            reload_options(source, reference, language, full=full, device=device),
            source_code=source_code,
            target_code=target_code,
            prefix=prefix,
            silence=timeout,
        ),
        claims=claims,
        run=run,
    )
    from ledger.cli.run import TerminalReporter

    done = verify(workspace, request, TerminalReporter())
    emit(_document(done), as_json, *([] if as_json else _human(done, workspace)))
    return exit_for(_all(done))


def _print_last(folder: Path, level: "Level | None", as_json: bool) -> int:
    from ledger.checkpoints.marks import newest_verified, read_mark

    found = newest_verified(folder, level)
    mark = read_mark(found) if found else None
    if found is None or mark is None:
        hint = f"verify one first: ledger verify {folder}/checkpoint-STEP"
        on = f" whose verdict rests on {level}" if level else ""
        raise LedgerError(f"no verified checkpoint in {folder}{on}", hint=hint)
    document = {"checkpoint": str(found), "verdict": mark.verdict, "time": mark.time, "entry": mark.entry}
    if as_json:
        emit({**document, "levels": mark.levels, "findings": [], "skips": []}, True)
    else:
        echo(str(found))
    return Exit.PASSED


def _workspace() -> "Workspace | None":
    """The ledger of this folder, if any: checkpoints can be verified anywhere."""
    from ledger.workspace import Workspace

    try:
        return Workspace.find()
    except UsageError:
        return None


def _all(done: "list[VerificationResult]") -> "Report":
    from ledger.findings import merge

    return merge(one.report for one in done)


def _document(done: "list[VerificationResult]") -> "dict[str, Json]":
    from dataclasses import asdict

    from ledger.utils.paths import shown

    def score(metric: "Metric | None") -> "Json":
        return asdict(metric) if metric else None

    checkpoints = [
        {
            "checkpoint": shown(one.checkpoint),
            "step": one.step,
            "run": one.run.id if one.run else None,
            "scores": {"memory": score(one.memory), "reloaded": score(one.reloaded)},
            "levels": list(one.levels),
            "marked": one.marked,
            "entry": one.entry,
            "next": [asdict(step) for step in one.next],
            "seconds": dict(one.result.seconds),
            **one.report.to_json(),
        }
        for one in done
    ]
    return {**_all(done).to_json(), "checkpoints": checkpoints}


def _human(done: "list[VerificationResult]", workspace: "Workspace | None") -> "list[RenderableType]":
    from ledger.display.results import lines, report_table, verdict_line
    from ledger.findings import Severity, Verdict

    parts: list[RenderableType] = [_table(done), ""]
    for one in done:
        # Of several checkpoints, only those with something to say get a table.
        wrong = one.report.verdict is not Verdict.PASS
        if len(done) == 1 or wrong or any(f.severity >= Severity.WARNING for f in one.report.findings):
            parts += [report_table(one.report, title=str(one.checkpoint) if len(done) > 1 else ""), ""]
    for one in done:
        parts.append(verdict_line(one.report, _subject(one)))
    if workspace is None:
        parts.append(lines(["not in a ledger repository: nothing was recorded"]))
    if failed := next((one for one in done if one.next), None):
        parts.append(lines(["", f"Next, for {failed.checkpoint}:", *_steps(failed.next), MORE]))
    return parts


def _steps(steps: "Iterable[NextCommand]") -> "Iterator[str]":
    for step in steps:
        yield f"  {step.command}"
        yield f"      {step.why}"


def _table(done: "list[VerificationResult]") -> "Table":
    from ledger.display.results import VERDICTS
    from ledger.display.table import Column, Table, styled

    same_name = len({one.checkpoint.name for one in done}) < len(done)
    rows = []
    for one in done:
        sample, verdict = one.result.actual.sample, one.report.verdict
        rows.append(
            (
                str(one.checkpoint) if same_name else one.checkpoint.name,
                "-" if one.step is None else f"{one.step:,}",
                *(f"{metric.value:.2f}" if metric else "-" for metric in (one.memory, one.reloaded)),
                f"{len(sample.output):,}" if sample else "-",
                styled(verdict, VERDICTS[verdict]),
            )
        )
    numbers = [
        Column(one, "whole", right=True) for one in ("step", "BLEU in memory", "BLEU reloaded", "lines")
    ]
    return Table(("checkpoint", *numbers, Column("verdict", "whole")), rows)


def _subject(one: "VerificationResult") -> str:
    levels = f", rests on {', '.join(one.levels)}" if one.levels else ""
    if one.levels and "text" not in one.levels:
        levels += " (no line was translated)"
    recorded = f", recorded for {one.run.id}" if one.run and one.entry else ", recorded" if one.entry else ""
    return f"{one.checkpoint}{levels}{recorded}{', marked as verified' if one.marked else ''}"
