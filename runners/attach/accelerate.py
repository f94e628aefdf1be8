"""Reports where `Accelerator.save_state` stores a training: nobody but its script can load that."""

import functools
from pathlib import Path
from typing import Any

from runners.attach.channel import Channel
from runners.worker.messages import SavedModel

STATE = (
    "accelerate's save_state stores the state of a training, which only its script can load;"
    " save the model with save_pretrained as well, and name its folder with --watch"
)


def attach(module: Any, folder: str) -> None:
    """Report each folder once its state is stored."""
    channel = Channel(folder)
    save_state = module.Accelerator.save_state

    @functools.wraps(save_state)
    def save(self: Any, *args: Any, **kwargs: Any) -> Any:
        place = save_state(self, *args, **kwargs)
        with channel.safely("a saved state was not noticed"):
            if self.is_main_process:
                channel.send(SavedModel(Path(place).absolute(), STATE))
        return place

    module.Accelerator.save_state = save
