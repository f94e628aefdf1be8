"""Reports which Python uses models here, and where they are saved: it can reload what no trainer reports."""

import functools
import sys
from pathlib import Path
from typing import Any

from runners.attach.channel import Channel
from runners.worker.messages import SavedModel, UsesModels


def attach(module: Any, folder: str) -> None:
    """Report the Python once, when transformers' models are imported, then each folder with a saved model."""
    channel = Channel(folder)
    channel.send(UsesModels(Path(sys.executable)))
    save_pretrained = module.PreTrainedModel.save_pretrained

    @functools.wraps(save_pretrained)
    def save(self: Any, save_directory: Any, *args: Any, **kwargs: Any) -> Any:
        result = save_pretrained(self, save_directory, *args, **kwargs)
        with channel.safely("a saved model was not noticed"):
            channel.send(SavedModel(Path(save_directory).absolute()))
        return result

    module.PreTrainedModel.save_pretrained = save
