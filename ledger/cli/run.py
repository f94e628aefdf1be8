"""`ledger run`: an experiment, or any command."""

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.checkpoints.levels import LEVELS
from ledger.cli import complete
from ledger.cli.output import console, echo, emit, exit_for, json_option
from ledger.errors import Exit, RunFailedError, UsageError
from ledger.findings import Verdict
from ledger.utils.plural import count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from rich.console import RenderableType

    from ledger.checkpoints.levels import Level
    from ledger.commands.run.command.command import RecordedCommand
    from ledger.commands.run.experiment import GenerationOutcome, RunOutcome, RunRequest
    from ledger.commands.run.training.task import TrainingOutcome
    from ledger.display.progress import Block, Progress
    from ledger.findings import Json, Report
    from ledger.workspace import Workspace
    from runners.host.verification import ReloadOptions

FILE = click.Path(path_type=Path)
SHOWN = 4
# Exit codes of a recorded command that mean more than a failure.
EXITS = {130: Exit.INTERRUPTED}
REHEARSAL_SAYS = (
    "A rehearsal: a tiny model overfitted these few lines. It proves that codes, parameters, save and "
    "reload, disk and environment work together; it says nothing about the real model's quality."
)

SERIES_REHEARSAL_SAYS = (
    "A rehearsal: a tiny T5 encoder learned synthetic series of waves and noise. It proves that settings, "
    "save and reload, disk and environment work together; it says nothing about the real model or any market."
)


class RunCommand(click.Command):
    """Separates the user's command after `--`, whose options are not ours."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Split at the first `--`; what follows it goes to `ctx.meta`."""
        if "--" in args:
            cut = args.index("--")
            ctx.meta["ledger.command"] = args[cut + 1 :]
            args = args[:cut]
        return super().parse_args(ctx, args)


@click.command("run", cls=RunCommand)
@click.argument("experiment", required=False, shell_complete=complete.experiments)
@click.option("--rehearse", is_flag=True, help="Run the whole experiment scaled down, on this machine.")
@click.option("--again", is_flag=True, help="Repeat an experiment that is already recorded.")
@click.option("--resume", is_flag=True, help="Resume the newest interrupted run of the experiment.")
@click.option(
    "--level", type=click.Choice(LEVELS), help="With --resume: what the checkpoint's verdict must rest on."
)
@click.option(
    "--redo-flagged",
    is_flag=True,
    help="Generate the flagged lines of the newest run again, with the spec's fallback settings.",
)
@click.option(
    "--flagged-by",
    multiple=True,
    metavar="CODE",
    help="With --redo-flagged: only lines that this text guard flagged; repeatable.",
)
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change one value of the spec; repeatable."
)
@click.option(
    "--allow", multiple=True, metavar="CODE", help="Ignore this preflight error, this time only; repeatable."
)
@click.option(
    "--on-fail", type=click.Choice(["stop", "warn"]), help="What to do when a checkpoint of a command fails."
)
@click.option(
    "--watch",
    type=click.Path(path_type=Path),
    help="The folder where a command without a trainer saves checkpoints.",
)
@click.option("--source", type=FILE, help="Lines that each checkpoint of a command translates.")
@click.option("--reference", type=FILE, help="Their reference translation, to score against.")
@click.option("--lang", "language", help="The language of the reference, for scores and guards: ja, ko.")
@click.option(
    "-v", "--verbose", is_flag=True, help="List every guard, those that passed and were skipped too."
)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    experiment: str | None,
    rehearse: bool,
    again: bool,
    resume: bool,
    level: "Level | None",
    redo_flagged: bool,
    flagged_by: tuple[str, ...],
    overrides: tuple[str, ...],
    allow: tuple[str, ...],
    on_fail: str | None,
    watch: Path | None,
    source: Path | None,
    reference: Path | None,
    language: str | None,
    verbose: bool,
    as_json: bool,
) -> int:
    """Run EXPERIMENT: preflight, run in the pinned environment, check, record. Or record a command.

    \b
    ledger run exp7 --rehearse                  scaled down, in a minute or two
    ledger run exp7                             the real run
    ledger run exp7 --set generation.num_beams=5
    ledger run exp7 --resume                    after a crash, a kill or a full disk
    ledger run exp7 --redo-flagged              only the lines that text guards flagged
    ledger run -- python train.py --epochs 3    any command; checkpoints of its trainings are verified
    """
    argv = ctx.meta.get("ledger.command")
    if argv is not None:
        if rehearse or again or resume or level or overrides or allow or redo_flagged or flagged_by:
            raise UsageError(
                "--rehearse, --again, --resume, --level, --redo-flagged, --flagged-by, --set and --allow are "
                "for experiments, not commands"
            )
        options = None
        if source or reference or language:
            from ledger.commands.verify.given_lines import reload_options

            options = reload_options(source, reference, language)
        return _record_command(argv, experiment, options, on_fail, watch, as_json=as_json, verbose=verbose)
    if on_fail or watch or source or reference or language:
        raise UsageError(
            "--on-fail, --watch, --source, --reference and --lang are for commands",
            hint="an experiment's spec sets on_fail and its data",
        )
    if experiment is None:
        raise UsageError("no experiment given", hint="ledger run EXP, or: ledger run -- COMMAND")
    if level and not resume:
        raise UsageError("--level is for --resume", hint="ledger run EXP --resume --level LEVEL")
    if flagged_by and not redo_flagged:
        raise UsageError(
            "--flagged-by is for --redo-flagged", hint="ledger run EXP --redo-flagged --flagged-by CODE"
        )
    from ledger.commands.run.experiment import AGAIN, RunRequest

    allowed = {code.upper() for code in allow} | ({AGAIN} if again else set())
    redo = tuple(code.strip().upper() for code in flagged_by) if redo_flagged else None
    request = RunRequest(experiment, rehearse, resume, overrides, frozenset(allowed), level, redo)
    return _run_experiment(request, as_json=as_json, verbose=verbose)


def _record_command(
    argv: list[str],
    experiment: str | None,
    options: "ReloadOptions | None",
    on_fail: str | None,
    watch: Path | None,
    *,
    as_json: bool,
    verbose: bool,
) -> int:
    if not argv:
        raise UsageError("no command after `--`")
    from ledger.commands.run.command.command import CommandRequest, run_command
    from ledger.workspace import Workspace

    output = sys.stderr if as_json else None
    request = CommandRequest(argv, experiment, on_fail, watch, options, output)
    done = run_command(Workspace.find(), request, TerminalReporter())
    document: dict[str, Json] = {
        "run": done.run,
        "experiment": done.experiment,
        **done.recorded,
        **done.report.to_json(),
        "verdict": done.recorded["verdict"],
    }
    # Standard output belongs to the command or, with --json, to the document.
    console(stderr=True).print(*_human_command(done, verbose=verbose), sep="\n", end="")
    ended = "finished" if done.exit_code == 0 else f"FAILED with exit code {done.exit_code}"
    if by := done.recorded.get("signal"):
        ended = f"was interrupted by {by} and ended with exit code {done.exit_code}"
    echo(f"ledger: {done.run} {ended} in {done.seconds:.1f} s, recorded", err=True)
    if as_json:
        emit(document, True)
    if done.interrupted:
        return Exit.INTERRUPTED
    if done.exit_code:
        return EXITS.get(done.exit_code, Exit.NOT_DONE)
    return exit_for(done.report)


def _human_command(done: "RecordedCommand", *, verbose: bool) -> "list[RenderableType]":
    """The findings and checkpoints; empty for a command without either."""
    from ledger.display.results import checkpoints_table, left_out, lines, report_table

    shown: list[RenderableType] = []
    found = report_table(done.report, title="guards" if verbose else "needs attention", brief=not verbose)
    if done.recorded["checkpoints"] or done.report.findings or done.report.skips:
        shown += ["", found, ""] if found.rows else [""]
    if done.recorded["checkpoints"]:
        shown += [checkpoints_table(done.recorded["checkpoints"]), ""]
    if shown and not verbose and (others := left_out(done.report)):
        shown += [lines([others]), ""]
    return shown


def _run_experiment(request: "RunRequest", *, as_json: bool, verbose: bool) -> int:
    from ledger.workspace import Workspace

    workspace, reporter = Workspace.find(), TerminalReporter()
    try:
        with reporter.working(request.experiment):
            from ledger.commands.run.experiment import run_experiment  # takes seconds where disks are slow

            outcome = run_experiment(workspace, request, reporter)
    except RunFailedError as error:
        _print_failed(error, request, as_json)
        raise
    document: dict[str, Json] = {
        "run": outcome.run,
        "experiment": outcome.experiment,
        "mode": outcome.mode,
        **outcome.recorded,
        **outcome.report.to_json(),
    }
    emit(document, as_json, *([] if as_json else _human(outcome, verbose=verbose)))
    _warn_unsent(workspace)
    return exit_for(outcome.report)


def _print_failed(error: RunFailedError, request: "RunRequest", as_json: bool) -> None:
    """The findings of a run that failed; its verdict is inconclusive, because its result is unknown."""
    from ledger.display.results import report_table

    findings = {**error.report.to_json(), "verdict": str(Verdict.INCONCLUSIVE)}
    head = {"run": error.run, "experiment": request.experiment, "mode": request.mode}
    if as_json or error.report.findings:
        emit(
            {**head, **findings, "error": error.message}, as_json, report_table(error.report, brief=True), ""
        )


def _warn_unsent(workspace: "Workspace") -> None:
    """Report earlier runs that could not be sent to MLflow. This one's sender has only just started."""
    from ledger.tracking.status import read_status

    errors = read_status(workspace.root).errors
    if errors:
        why = next(iter(errors.values()))
        echo(f"not in MLflow: {count(len(errors), 'run')}: {why}; send with: ledger sync", err=True)


def _human(outcome: "RunOutcome", *, verbose: bool) -> "list[RenderableType]":
    """The verdict, what needs attention, the result, and the verdict again, where the eye is at the end."""
    from ledger.commands.run.training.task import TrainingOutcome
    from ledger.display.results import (
        left_out,
        lines,
        report_table,
        verdict_line,
    )

    if outcome.run is None:
        refused = ", ".join(sorted(outcome.report.failing))
        return [
            verdict_line(outcome.report, f"{outcome.experiment} was not run: preflight found {refused}"),
            lines([f"for the meaning of a code: ledger explain {min(outcome.report.failing)}"]),
        ]
    rehearsed = "rehearsal " if outcome.mode == "rehearsal" else ""
    ended = ", stopped early" if isinstance(outcome, TrainingOutcome) and outcome.stopped else ""
    codes = f": {', '.join(sorted(outcome.report.failing))}" if outcome.report.failing else ""
    verdict = verdict_line(
        outcome.report, f"{rehearsed}{outcome.run} in {outcome.seconds:.0f} s{ended}{codes}"
    )
    shown: list[RenderableType] = [verdict, ""]
    found = report_table(
        outcome.report, title="needs attention" if not verbose else "guards", brief=not verbose
    )
    if found.rows:
        shown += [found, ""]
    if isinstance(outcome, TrainingOutcome):
        shown += _human_training(outcome)
    else:
        shown += _human_generation(outcome)
    if not verbose and (others := left_out(outcome.report)):
        shown += [lines([others]), ""]
    if outcome.mode == "rehearsal":
        shown += [lines([SERIES_REHEARSAL_SAYS if outcome.recorded.get("family") else REHEARSAL_SAYS]), ""]
    return [*shown, lines(_next(outcome)), "", verdict]


def _human_generation(outcome: "GenerationOutcome") -> "list[RenderableType]":
    from ledger.display.results import lines, samples_table, scores_lines, translations_table

    shown: list[RenderableType] = [translations_table(outcome.samples[:SHOWN], outcome.reference), ""]
    if outcome.text is not None and any(flagged.count for flagged in outcome.text.flagged.values()):
        shown += [samples_table(outcome.text), ""]
    if outcome.scores is not None:
        shown += [scores_lines(outcome.scores), ""]
    if redo := outcome.recorded.get("redo"):
        shown += [lines([_redone(redo, outcome.recorded["metrics"]), ""])]
    return [*shown, lines([f"output: {outcome.recorded['output']['path']}"]), ""]


def _redone(redo: "Mapping[str, Json]", metrics: "Mapping[str, Json]") -> str:
    """One sentence: how many lines were generated again, and what that changed."""
    codes = ", ".join(
        f"{code} {redo['before'][code]:,} -> {redo['after'][code]:,}" for code in redo["before"]
    )
    scores = "".join(
        f"; {shown} {redo['metrics_before'][name]:.2f} -> {metrics[name]['value']:.2f}"
        for name, shown in (("bleu", "BLEU"), ("chrf", "chrF++"))
        if name in metrics and name in redo["metrics_before"]
    )
    return (
        f"{redo['won']:,} of {count(redo['lines'], 'flagged line')} of {redo['parent']} replaced; the others "
        f"are flagged again and stay as they were ({codes}){scores}"
    )


def _human_training(outcome: "TrainingOutcome") -> "list[RenderableType]":
    from ledger.display.results import checkpoints_table, family_table, lines

    shown: list[RenderableType] = [checkpoints_table(outcome.recorded["checkpoints"]), ""]
    family = outcome.recorded.get("family")
    if family:
        shown += [family_table(family), *_improved(family), ""]
    folder = outcome.recorded["output"]["path"]
    last = f"ledger verify --last {folder}"
    return [*shown, lines([f"checkpoints: {folder}", f"{last}  the newest verified checkpoint"]), ""]


def _improved(family: "Mapping[str, Json]") -> "list[RenderableType]":
    from ledger.display.results import lines

    against = family.get("parent")
    return (
        [lines([f"{against['improved']} of {against['of']} improved on {against['run']}"])] if against else []
    )


def _next(outcome: "RunOutcome") -> list[str]:
    steps = {
        f"ledger show {outcome.run}": "everything that is recorded",
        "ledger log": "all runs",
        "ledger ui": "the runs in MLflow's web interface",
    }
    for code in sorted(outcome.report.failing):
        steps[f"ledger explain {code}"] = "meaning and what to do"
    return [f"{command:<34}{what}" for command, what in steps.items()]


class TerminalReporter:
    """Messages and progress on standard error; standard output is for the result."""

    def __init__(self) -> None:
        self._block: Block | None = None

    @contextmanager
    def working(self, title: str) -> "Iterator[None]":
        """Show from now on, in one block, what a run is doing."""
        from ledger.display.progress import Block

        with Block(title) as self._block:
            yield
        self._block = None

    def say(self, text: str) -> None:
        """Print one line."""
        echo(text, err=True)

    def checkpoint(self, lines: "Sequence[str]") -> None:
        """The verdict on a checkpoint, and its errors: in the block while there is one."""
        if self._block is None or not self._block.keep(lines):
            for line in lines:
                self.say(line)

    def preflight(self, report: "Report") -> None:
        """The preflight findings as a table, if there are any."""
        from ledger.display.results import report_table

        if report.findings:
            console(stderr=True).print(report_table(report, title="preflight", brief=True), "", sep="\n")

    def progress(self, unit: str) -> "AbstractContextManager[Callable[[Progress], None]]":
        """A bar on a terminal, a line every few seconds elsewhere."""
        from ledger.display.progress import show_progress

        return self._block.progress(unit) if self._block else show_progress(unit)
