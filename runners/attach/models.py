"""Reports which Python uses models here: it can reload what is saved without a trainer."""

import sys
from pathlib import Path
from typing import Any

from runners.attach.channel import Channel
from runners.worker.messages import UsesModels


def attach(module: Any, folder: str) -> None:  # noqa: ARG001 - what every attachment takes
    """Report it once, when transformers' models are imported."""
    Channel(folder).send(UsesModels(Path(sys.executable)))
