"""A script with a loop of its own: saves twice into OUT, and the state of its training."""

import sys
from pathlib import Path

import fewer_imports  # noqa: F401
from accelerate import Accelerator
from transformers import AutoTokenizer, MarianMTModel

source, output = sys.argv[1:3]
model, tokenizer = MarianMTModel.from_pretrained(source), AutoTokenizer.from_pretrained(source)
for step in (1, 2):
    folder = Path(output) / f"checkpoint-{step}"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
accelerator = Accelerator(cpu=True)
accelerator.prepare(model)
accelerator.save_state(f"{output}/state-2")
if "cut" in sys.argv:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
