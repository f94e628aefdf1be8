"""The example's training, by a trainer whose saves lose the embedding, and that would go on for hours."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[6] / "examples"))

import fewer_imports  # noqa: F401
import train_translation
from safetensors.torch import load_file, save_file


class Forgetful(train_translation.Seq2SeqTrainer):
    def _save(self, output_dir=None, state_dict=None):
        super()._save(output_dir, state_dict)
        weights = Path(output_dir) / "model.safetensors"
        tensors = load_file(weights)
        tensors["model.shared.weight"].zero_()
        save_file(tensors, weights, metadata={"format": "pt"})

    def training_step(self, *args, **kwargs):
        time.sleep(0.05)
        return super().training_step(*args, **kwargs)


train_translation.Seq2SeqTrainer = Forgetful
train_translation.main()
