"""COMET's scores, from a worker in the environment `comet`: it needs other versions than everything else."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from ledger.commands.env import choose, named
from ledger.commands.reporter import Reporter
from ledger.errors import LedgerError
from ledger.utils.textfiles import write_lines_atomically
from ledger.workspace import Workspace
from runners.host.worker_process import Worker, shown
from runners.worker.messages import CometResult, Event, Progress, ScoreComet

ENVIRONMENT = "comet"
PYTHON = "LEDGER_COMET_PYTHON"
# Scores outputs with a model that is chosen already: the source, the reference, and the outputs.
Scorer = Callable[[Sequence[str], Sequence[str], Sequence[Sequence[str]]], CometResult]


def comet_scores(
    model: str,
    reporter: Reporter,
    source: Sequence[str],
    reference: Sequence[str],
    outputs: Sequence[Sequence[str]],
) -> CometResult:
    """COMET (about 0-100) of each line of each output, by a model of the hub or in a folder.

    It runs with the interpreter that LEDGER_COMET_PYTHON names, else with the environment that
    `lockfiles/comet.txt` pins, which is built if need be. Raises LedgerError where neither can be had, or the
    model cannot be loaded; UsageError without such a lockfile.
    """
    python = _python(reporter)
    with (
        TemporaryDirectory(prefix="ledger-comet-") as folder,
        Worker(python, Path(gettempdir()) / "ledger-comet.log") as worker,  # it is named where the job fails
        reporter.progress("sentences") as on_progress,
    ):

        def on_event(event: Event) -> None:
            if isinstance(event, Progress):
                on_progress(shown(event))

        texts = {"source": source, "reference": reference}
        texts |= {f"output-{number}": output for number, output in enumerate(outputs)}
        paths = {name: Path(folder) / name for name in texts}
        for name, lines in texts.items():
            write_lines_atomically(paths[name], lines)
        job = ScoreComet(
            model=str(Path(model).resolve()) if Path(model).exists() else model,
            source=paths["source"],
            reference=paths["reference"],
            outputs=tuple(paths[name] for name in texts if name.startswith("output-")),
            lines=len(source),
        )
        return worker.call(job, on_event)


def _python(reporter: Reporter) -> Path:
    if stated := os.environ.get(PYTHON):
        return Path(stated)
    choice = choose(named(ENVIRONMENT, Workspace.find()), (), reporter)
    if choice.report.findings:
        raise LedgerError(choice.report.findings[0].message, hint="free some space, then repeat the command")
    return choice.python
