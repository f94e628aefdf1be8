"""The jobs that reload a checkpoint and repeat the measurements of its evidence."""

from runners.worker.evidence import lightning_reload, reload
from runners.worker.evidence.lightning_checkpoint import is_lightning
from runners.worker.messages import CheckpointResult, GetReady, ProbeCheckpoint, ReadyResult
from runners.worker.protocol import Events


def get_ready(_job: GetReady, _events: Events) -> ReadyResult:
    """Import what a reload needs."""
    from transformers import PreTrainedModel  # noqa: F401

    return ReadyResult()


def probe_checkpoint(job: ProbeCheckpoint, events: Events) -> CheckpointResult:
    """Reload the job's checkpoint; see `ProbeCheckpoint`. A folder that cannot be loaded is a result, too."""
    if is_lightning(job.checkpoint):
        return lightning_reload.probe(job, events)
    return reload.probe(job, events)
