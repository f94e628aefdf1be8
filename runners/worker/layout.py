"""Names of files that are written by one process and read by another. Standard library only.

`ledger.evidence.snapshot` has the names of the evidence, too: the core imports nothing of the runners.
"""

# In a checkpoint: the folder with its evidence, and the files in it.
FOLDER = "ledger"
EVIDENCE = "evidence.json"
PROBE = "probe.safetensors"  # the probe batch and its logits
LIGHTNING = "lightning.json"  # marks a folder that holds a checkpoint of Lightning

# In a run's folder: hard links of its checkpoints, the current step, and the request to end the training.
SNAPSHOTS = "snapshots"
PROGRESS = "progress.json"
STOP = "stop"
