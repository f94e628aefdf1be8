"""`ledger verify` compared with a bare script that does what people do by hand: load, translate, score.

    python benchmarks/verify.py [--rounds 3]

Both get the same checkpoint, a randomly initialised Marian of 61M parameters with the evidence of its save,
and translate the same 32 lines greedily, in one batch, with equal settings. A random model generates up to
the limit of new tokens, so both generate all of them. Whole processes are measured, in turns. The output is
the wall time, the CPU time with all child processes, which is more reliable on a loaded machine, and the
seconds of each stage of the reload.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Time:
    """Wall seconds, CPU seconds (user and system), and the command's stdout."""

    wall: float
    cpu: float
    output: str


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "checkpoint-1"
        parameters = make_checkpoint(folder)
        commands = {
            "bare script": [sys.executable, "-c", BARE, str(folder)],
            "ledger verify": [str(Path(sys.executable).with_name("ledger")), "verify", str(folder), "--json"],
        }
        times = measure(commands, Path(name), options.rounds)
    print(f"{parameters:,} parameters, {LINES} lines, {os.cpu_count()} cores; medians of {options.rounds}")
    report(times)


def make_checkpoint(folder: Path) -> int:
    """Save the model, its tokenizer and its evidence; return the number of parameters."""
    import torch
    from transformers import MarianConfig, MarianMTModel

    from runners.worker.evidence.probe_inputs import ProbeLanguages, ProbeText
    from runners.worker.evidence.recorder import EvidenceRecorder
    from runners.worker.rehearsal.models import make

    folder.mkdir()
    triples = pairs(LINES)
    torch.manual_seed(1)
    tokenizer, small = make("marian", [line for row in triples for line in row], folder)
    sizes = {"d_model": 512, "encoder_ffn_dim": 2048, "decoder_ffn_dim": 2048}
    sizes |= {"vocab_size": VOCABULARY, "decoder_vocab_size": VOCABULARY}
    depths = {"encoder_layers": 6, "num_hidden_layers": 6, "decoder_layers": 6}
    heads = {"encoder_attention_heads": 8, "decoder_attention_heads": 8}
    model = MarianMTModel(MarianConfig(**{**small.config.to_dict(), **sizes, **depths, **heads}))
    text = ProbeText(tuple(row.ko for row in triples), tuple(row.ja for row in triples))
    recorder = EvidenceRecorder(tokenizer, text, ProbeLanguages("kor", "jpn", "ja"), run="exp10-abc123")
    captured = recorder.observe(model, 1)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    recorder.write(folder, captured)
    return int(model.num_parameters())


def measure(commands: dict[str, list[str]], place: Path, rounds: int) -> dict[str, list[Time]]:
    """The times of each command and round, without the warm-up."""
    times: dict[str, list[Time]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            took = time_of(command, place)
            if number:
                times[name].append(took)
    return times


def time_of(command: list[str], place: Path) -> Time:
    """One run. Exits if it failed: a verification that found a fault would have done less work."""
    begun, before = time.perf_counter(), os.times()
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    after, wall = os.times(), time.perf_counter() - begun
    if done.returncode:
        sys.exit(f"{command[0]} failed with exit code {done.returncode}:\n{done.stdout}{done.stderr}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Time(wall, cpu, done.stdout)


def report(times: dict[str, list[Time]]) -> None:
    wall = {name: statistics.median(one.wall for one in found) for name, found in times.items()}
    cpu = {name: statistics.median(one.cpu for one in found) for name, found in times.items()}
    for name in times:
        print(f"  {name:14} {wall[name]:6.2f} s  {cpu[name]:6.2f} s of CPU time")
    stages = json.loads(times["ledger verify"][-1].output)["checkpoints"][0]["seconds"]
    by_stage = ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in stages.items())
    print(f"  stages of the reload in the last round (seconds): {by_stage}")
    ratio, cpu_ratio = (value["ledger verify"] / value["bare script"] for value in (wall, cpu))
    print(f"CPU time: ratio {cpu_ratio:.2f}; load when done: {os.getloadavg()[0]:.1f}")
    print(f"wall time: ratio {ratio:.2f}; aim: at most {AIM}: {'reached' if ratio <= AIM else 'missed'}")
    print(
        json.dumps(
            {"median_seconds": wall, "median_cpu_seconds": cpu, "ratio": ratio, "cpu_ratio": cpu_ratio}
        )
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="ledger verify compared with a bare script.")
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
