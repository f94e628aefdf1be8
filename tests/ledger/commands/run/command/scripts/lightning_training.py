"""A Lightning training in a few lines, of a model of transformers or (`plain`) of a module of its own.

`averaged`: it saves and evaluates a running average of the weights.
"""

import sys

import fewer_imports  # noqa: F401
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import EMAWeightAveraging, ModelCheckpoint
from transformers import AutoTokenizer, MarianMTModel

source, output, kind = sys.argv[1:4]
LINES = ["파일을 저장했습니다.", "안녕하세요.", "새 창을 엽니다.", "다시 시도하세요."] * 4


class Translator(LightningModule):
    def __init__(self):
        super().__init__()
        self.tokenizer = AutoTokenizer.from_pretrained(source)
        self.model = MarianMTModel.from_pretrained(source)

    def training_step(self, batch, _number):
        return self.model(**batch).loss


class Averaged(LightningModule):
    """Its tokenizer is with the function that makes the batches."""

    def __init__(self):
        super().__init__()
        self.model = MarianMTModel.from_pretrained(source)

    def training_step(self, batch, _number):
        return self.model(**batch).loss

    validation_step = training_step


class Plain(LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 4)

    def training_step(self, batch, _number):
        return self.layer(torch.ones(2, 4)).square().mean()


class Broken(Translator):
    def on_save_checkpoint(self, checkpoint):
        name = "model.model.encoder.layers.0.fc1.weight"
        checkpoint["state_dict"][name] = torch.zeros_like(checkpoint["state_dict"][name])


def optimizers(self):
    return torch.optim.AdamW(self.parameters(), 1e-3)


module = {"plain": Plain, "broken": Broken, "averaged": Averaged}[kind]
module.configure_optimizers = optimizers
model = module()
tokenizer = AutoTokenizer.from_pretrained(source)
rows = [tokenizer(line, text_target=line) for line in LINES]
loader = torch.utils.data.DataLoader(
    rows,
    batch_size=1,
    collate_fn=lambda one: {
        key: torch.tensor([one[0][key]]) for key in [*tokenizer.model_input_names, "labels"]
    },
)
saves = ModelCheckpoint(output, every_n_train_steps=8, save_top_k=-1)
averages = [EMAWeightAveraging()] if kind == "averaged" else []
trainer = Trainer(
    max_steps=16,
    callbacks=[saves, *averages],
    val_check_interval=8,
    limit_val_batches=2,
    accelerator="cpu",
    logger=False,
    enable_progress_bar=False,
)
trainer.fit(model, loader, loader if averages else None)
