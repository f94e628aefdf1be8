"""Makes a tiny COMET model with random weights, a RegressionMetric, and prints what COMET's own loop scores.

Run by the Python of the environment `comet`: `python tiny_comet.py FOLDER ROWS`. ROWS has a source, an output
and a reference on each line, separated by tabs.
"""

import sys
from pathlib import Path

import pytorch_lightning
import torch
import yaml
from comet import load_from_checkpoint
from comet.models import RegressionMetric
from tokenizers import Tokenizer
from tokenizers.models import Unigram
from tokenizers.pre_tokenizers import Metaspace
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import UnigramTrainer
from transformers import XLMRobertaConfig, XLMRobertaTokenizerFast

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]

folder = Path(sys.argv[1])
rows = [line.split("\t") for line in Path(sys.argv[2]).read_text(encoding="utf-8").splitlines()]
encoder, checkpoint = folder / "encoder", folder / "checkpoints" / "model.ckpt"
tokenizer = Tokenizer(Unigram())
tokenizer.pre_tokenizer = Metaspace()
trainer = UnigramTrainer(vocab_size=600, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False)
tokenizer.train_from_iterator([text for row in rows for text in row], trainer)
tokenizer.post_processor = TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
XLMRobertaTokenizerFast(tokenizer_object=tokenizer).save_pretrained(encoder)
XLMRobertaConfig(
    vocab_size=tokenizer.get_vocab_size(),
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=32,
    type_vocab_size=1,
    max_position_embeddings=514,
).save_pretrained(encoder)

torch.manual_seed(7)
model = RegressionMetric(pretrained_model=str(encoder), load_pretrained_weights=False, hidden_sizes=[8, 4])
lightning = pytorch_lightning.Trainer(logger=False, accelerator="cpu", barebones=True)
lightning.strategy.connect(model)
lightning.save_checkpoint(checkpoint)
settings = {"class_identifier": "regression_metric", **dict(model.hparams)}
(folder / "hparams.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")

samples = [dict(zip(("src", "mt", "ref"), row, strict=True)) for row in rows]
scores = load_from_checkpoint(str(checkpoint)).predict(samples, batch_size=4, gpus=0, progress_bar=False)
print(*scores.scores)
