"""`ledger verify` beside a bare script that does what people do by hand: load, translate, score.

    python benchmarks/verify.py [--rounds 3]

Both get the same checkpoint, a randomly initialised Marian of 61M parameters with the evidence of its save,
and translate the same 32 lines greedily, in one batch, with equal settings. A random model writes up to the
limit of new tokens, so both pay for every one of them. Each is a whole process, from start to prompt, in
turns.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from runners.rehearsal.text import pairs

AIM = 1.15
LINES = 32
VOCABULARY = 32_000
BARE = """\
import json, sys
import sacrebleu
from transformers import MarianMTModel, MarianTokenizer

folder = sys.argv[1]
sample = json.load(open(folder + "/ledger/evidence.json"))["snapshot"]["sample"]
model = MarianMTModel.from_pretrained(folder).eval()
tokenizer = MarianTokenizer.from_pretrained(folder)
batch = tokenizer([">>jpn<< " + line for line in sample["source"]], return_tensors="pt", padding=True)
output = tokenizer.batch_decode(model.generate(**batch, **sample["settings"]), skip_special_tokens=True)
print(sacrebleu.corpus_bleu(output, [sample["reference"]], tokenize="ja-mecab"))
"""


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "checkpoint-1"
        parameters = make_checkpoint(folder)
        commands = {
            "bare script": [sys.executable, "-c", BARE, str(folder)],
            "ledger verify": [str(Path(sys.executable).with_name("ledger")), "verify", str(folder)],
        }
        seconds = measure(commands, Path(name), options.rounds)
    median = {name: statistics.median(times) for name, times in seconds.items()}
    print(f"{parameters:,} parameters, {LINES} lines, {os.cpu_count()} cores; medians of {options.rounds}")
    for name, value in median.items():
        print(f"  {name:14} {value:6.2f} s")
    ratio = median["ledger verify"] / median["bare script"]
    print(f"ratio {ratio:.2f}; aim: at most {AIM}: {'reached' if ratio <= AIM else 'missed'}")
    print(json.dumps({"median_seconds": median, "ratio": ratio}))


def make_checkpoint(folder: Path) -> int:
    """The model, its tokenizer, and what a witness saw of it; returns the number of parameters."""
    import torch
    from transformers import MarianConfig, MarianMTModel

    from runners.worker.questions import Languages, Text
    from runners.worker.rehearsal_models import make
    from runners.worker.witness import Witness

    folder.mkdir()
    triples = pairs(LINES)
    torch.manual_seed(1)
    tokenizer, small = make("marian", [line for row in triples for line in row], folder)
    sizes = {"d_model": 512, "encoder_ffn_dim": 2048, "decoder_ffn_dim": 2048}
    sizes |= {"vocab_size": VOCABULARY, "decoder_vocab_size": VOCABULARY}
    depths = {"encoder_layers": 6, "num_hidden_layers": 6, "decoder_layers": 6}
    heads = {"encoder_attention_heads": 8, "decoder_attention_heads": 8}
    model = MarianMTModel(MarianConfig(**{**small.config.to_dict(), **sizes, **depths, **heads}))
    text = Text(tuple(row.ko for row in triples), tuple(row.ja for row in triples))
    witness = Witness(tokenizer, text, Languages("kor", "jpn", "ja"), run="exp10-abc123")
    seen = witness.observe(model, 1)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    witness.write(folder, seen)
    return int(model.num_parameters())


def measure(commands: dict[str, list[str]], place: Path, rounds: int) -> dict[str, list[float]]:
    """Wall seconds by command and round, a warm-up left out."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            begun = time.perf_counter()
            done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
            if done.returncode:  # a verification that found a fault would have done less
                sys.exit(f"{name} failed with exit code {done.returncode}:\n{done.stdout}{done.stderr}")
            if number:
                seconds[name].append(time.perf_counter() - begun)
    return seconds


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="ledger verify beside a bare script.")
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
