"""A trainer of a stream that knows no tokenizer, and a last save that the script makes by itself.

With `killed` the process dies over its second checkpoint, when the weights are whole.
"""

import os
import signal
import sys

import fewer_imports  # noqa: F401
import torch
from transformers import MarianMTModel, Trainer, TrainingArguments

source, output = sys.argv[1:3]


class Mortal(Trainer):
    def _save_checkpoint(self, *args, **kwargs):
        super()._save_checkpoint(*args, **kwargs)
        if "killed" in sys.argv and self.state.global_step == 4:
            os.kill(os.getpid(), signal.SIGKILL)


class Stream(torch.utils.data.IterableDataset):
    def __iter__(self):
        while True:
            yield {"input_ids": [5, 6, 7, 0], "labels": [5, 8, 9, 0]}


def collate(rows):
    return {name: torch.tensor([row[name] for row in rows]) for name in rows[0]}


trainer = Mortal(
    model=MarianMTModel.from_pretrained(source),
    args=TrainingArguments(
        output_dir=output, max_steps=4, save_steps=2, report_to=[], use_cpu=True, disable_tqdm=True
    ),
    train_dataset=Stream(),
    data_collator=collate,
)
trainer.train()
trainer.model.save_pretrained(f"{output}/final")
