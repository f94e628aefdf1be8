"""What a running training writes for those who watch it."""

from pathlib import Path

from ledger.commands.run.checkpoint import Checkpoint
from ledger.commands.run.monitor import CheckpointMonitor
from ledger.commands.run.recorder import Recorder
from ledger.display.progress import Progress
from ledger.evidence.metrics import Metric
from ledger.evidence.snapshot import Sample
from ledger.evidence.training import TrainingPoint
from ledger.findings import Finding, Report, Severity
from ledger.journal.live import read_live
from ledger.workspace import Workspace

BROKEN = Report((Finding("CKP003", Severity.ERROR, "2 tensors newly initialised"),))
SAMPLE = Sample(("가", "나"), ("か", ""), {}, ("か", "な"))


def test_progress_loss_and_checkpoints_are_there_while_the_run_lasts(tmp_path):
    (tmp_path / "experiments").mkdir()
    said = []
    with Recorder(Workspace(tmp_path), "real", "exp10", "exp10-0a1b2c") as recorder:
        monitor = CheckpointMonitor(recorder, said.append, {}, stop_on_fail=True)
        monitor.points.append(TrainingPoint(20, loss=2.51234))
        shown = monitor.note_progress(Progress("training", 20, 90, 2.0))
        assert shown == Progress("training", 20, 90, 2.0, "loss 2.512")
        assert read_live(recorder.folder) == {
            "stage": "training",
            "done": 20,
            "total": 90,
            "rate": 2.0,
            "detail": "loss 2.512",
        }
        score = Metric(40.0, "BLEU")
        monitor.checkpoints.append(Checkpoint(20, Path("out/checkpoint-20"), BROKEN, score, None, SAMPLE))
        monitor._show_live()
        live = read_live(recorder.folder)
        assert live["checkpoints"][0]["verdict"] == "fail"
        assert live["checkpoints"][0]["told"][1] == "  CKP003 2 tensors newly initialised"
        assert live["samples"][1] == {"source": "나", "output": "", "reference": "な"}
    assert read_live(recorder.folder) == {}
