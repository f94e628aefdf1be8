"""What a recorded run left, read back as evidence: its output, its losses and checkpoints, its exit code."""

from collections.abc import Mapping

from guards.guard import Guard
from guards.reproduction import changed_exit, changed_output, changed_training
from ledger.commands.recorded_texts import read_data, read_output
from ledger.evidence import Evidence, Unobserved
from ledger.evidence.reproduction import Device, ExitTrace, OutputTrace, SaveTrace, TrainingTrace
from ledger.findings import Json
from ledger.journal.loss_log import read_series
from ledger.journal.runs import Run
from ledger.workspace import Workspace

NOT_RECORDED = Unobserved("what a command writes is not recorded: only how it ended was compared")


def guards_for(run: Run) -> tuple[Guard, ...]:
    """Those that have something to say of a run of this kind."""
    if run.mode == "command":
        return (changed_exit, changed_output)
    return (changed_training,) if is_training(run) else (changed_output,)


def is_training(run: Run) -> bool:
    """Whether it was a training."""
    return (run.started.get("spec") or {}).get("task") in ("training", "forecasting")


def evidence_of(workspace: Workspace, run: Run) -> Evidence:
    """The traces of one run, from `workspace`, whose record has it."""
    done = run.finished or {}
    if run.mode == "command":
        exit_code = done.get("exit_code")
        ended = (
            Unobserved("how it ended is not recorded") if exit_code is None else ExitTrace(run.id, exit_code)
        )
        return Evidence(exit_trace=ended, output_trace=NOT_RECORDED)
    device = _device(done)
    if is_training(run):
        losses = read_series(workspace.runs / run.id, done.get("series"))
        saves = tuple(_save(row) for row in done.get("checkpoints") or ())
        return Evidence(training_trace=TrainingTrace(run.id, losses, saves, device))
    return Evidence(output_trace=_output(workspace, run, device))


def _output(workspace: Workspace, run: Run, device: Device) -> OutputTrace | Unobserved:
    done = run.finished or {}
    sha256 = (done.get("output") or {}).get("sha256")
    if sha256 is None:
        return Unobserved(f"{run.id} recorded no output", required=True)
    lines, source = read_output(workspace, run), read_data(workspace, run, "source")
    return OutputTrace(
        run=run.id,
        sha256=sha256,
        lines=None if isinstance(lines, Unobserved) else tuple(lines),
        unseen=lines.reason if isinstance(lines, Unobserved) else "",
        source=() if isinstance(source, Unobserved) else tuple(source),
        bleu=run.metrics.get("bleu"),
        device=device,
    )


def _device(done: Mapping[str, Json]) -> Device:
    runtime = (done.get("effective") or {}).get("runtime") or {}
    return Device(runtime.get("dtype"), runtime.get("device"))


def _save(row: Mapping[str, Json]) -> SaveTrace:
    return SaveTrace(row["step"], row.get("tensors"), row.get("memory"), row.get("reloaded"))
