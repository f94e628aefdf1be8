"""A worker whose model fails on purpose: an interpreter for `Worker` that patches `generate` and then is one.

FAULTY_MOST_LINES: batches of more lines find no memory. FAULTY_TOKENS: a line of so many tokens raises.
"""

import os
import runpy
import sys

import torch
from transformers import GenerationMixin

MOST_LINES = int(os.environ.get("FAULTY_MOST_LINES", "1000000"))
TOKENS = int(os.environ.get("FAULTY_TOKENS", "1000000"))

really_generate = GenerationMixin.generate


def generate(self, *args, **kwargs):
    lengths = kwargs["attention_mask"].sum(dim=1)
    if len(lengths) > MOST_LINES:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
    if int(lengths.max()) >= TOKENS:
        raise ValueError("this line cannot be translated")
    return really_generate(self, *args, **kwargs)


GenerationMixin.generate = generate
runpy.run_path(sys.argv[-1], run_name="__main__")
