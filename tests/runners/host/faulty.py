"""A worker whose model fails on purpose: an interpreter for `Worker` that patches `generate` and then is one.

The file FAULTY_LIMITS is read at each call. `most_lines`: batches of more lines find no memory. `tokens`: a
line of so many tokens raises.
"""

import json
import os
import runpy
import sys
from pathlib import Path

import torch
from transformers import GenerationMixin

really_generate = GenerationMixin.generate


def generate(self, *args, **kwargs):
    limits = json.loads(Path(os.environ["FAULTY_LIMITS"]).read_text())
    lengths = kwargs["attention_mask"].sum(dim=1)
    if len(lengths) > limits.get("most_lines", 1000):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
    if int(lengths.max()) >= limits.get("tokens", 1000):
        raise ValueError("this line cannot be translated")
    return really_generate(self, *args, **kwargs)


GenerationMixin.generate = generate
runpy.run_path(sys.argv[-1], run_name="__main__")
