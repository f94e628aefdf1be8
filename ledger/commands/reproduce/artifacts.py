"""The results of a recorded run as evidence: its output, losses and checkpoints, or exit code."""

from guards.guard import Guard
from guards.reproduction import changed_exit, changed_output, changed_training
from ledger.commands.recorded_texts import read_data, read_output
from ledger.evidence import Evidence, Unobserved
from ledger.evidence.reproduction import Device, ExitTrace, OutputTrace, SaveTrace, TrainingTrace
from ledger.journal.loss_log import read_series
from ledger.journal.run import CheckpointRow, Run
from ledger.workspace import Workspace

NOT_RECORDED = Unobserved("what a command writes is not recorded: only its exit code was compared")


def guards_for(run: Run) -> tuple[Guard, ...]:
    """The guards for a run of this kind."""
    if run.mode == "command":
        return (changed_exit, changed_output)
    return (changed_training,) if run.is_training else (changed_output,)


def evidence_of(workspace: Workspace, run: Run) -> Evidence:
    """The traces of a run that is recorded in `workspace`."""
    if run.mode == "command":
        ended = (
            Unobserved("its exit code is not recorded")
            if run.exit_code is None
            else ExitTrace(run.id, run.exit_code)
        )
        return Evidence().including(ExitTrace, ended).including(OutputTrace, NOT_RECORDED)
    device = _device(run)
    if run.is_training:
        losses = read_series(workspace.runs / run.id, run.result.get("series"))
        saves = tuple(_checkpoint(row) for row in run.checkpoints)
        return Evidence(TrainingTrace(run.id, losses, saves, device))
    return Evidence().including(OutputTrace, _output(workspace, run, device))


def _output(workspace: Workspace, run: Run, device: Device) -> OutputTrace | Unobserved:
    if run.output is None or run.output.sha256 is None:
        return Unobserved(f"{run.id} recorded no output", required=True)
    lines, source = read_output(workspace, run), read_data(workspace, run, "source")
    return OutputTrace(
        run=run.id,
        sha256=run.output.sha256,
        lines=None if isinstance(lines, Unobserved) else tuple(lines),
        unseen=lines.reason if isinstance(lines, Unobserved) else "",
        source=() if isinstance(source, Unobserved) else tuple(source),
        bleu=run.metrics.get("bleu"),
        device=device,
    )


def _device(run: Run) -> Device:
    runtime = run.effective.get("runtime") or {}
    return Device(runtime.get("dtype"), runtime.get("device"))


def _checkpoint(row: CheckpointRow) -> SaveTrace:
    return SaveTrace(row.step, row.tensors, row.memory, row.reloaded)
