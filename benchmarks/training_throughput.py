"""Steps per second of a training whose checkpoints are verified, compared with the same training without.

    python benchmarks/training_throughput.py [--rounds 3] [--saves 2] [--save-steps 120]

The guarded training is `ledger run` as a user calls it: evidence at each save, a snapshot, a second process
that reloads it, journal and MLflow. The plain training is a script with a Seq2SeqTrainer and the same text,
vocabulary, sizes, arguments, seed and kernels; the benchmark checks that both report the same losses. They
take turns and use all cores but one, which is left free for the verification.

The steady state is measured: from just before the first save to just before the last, that is `--saves`
saves, each with the steps after it. No steps follow the very last save, and its evidence is collected in
one go: its cost is reported separately and is not part of the ratio.

The model is a Marian of 12M parameters, between the rehearsal's 2M and the 61M of exp10. One core does a
few steps of 16 lines per second, so 120 steps are about half a minute. Saving that often makes the guards
expensive: the good run of exp10 in the log would save about every five minutes (21,370 steps in 3,017 s,
and `save_steps: 2000`).
"""

import argparse
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from empty_run import repository

from runners.rehearsal.text import pairs

AIM = 0.97
SETTINGS = {
    "per_device_train_batch_size": 16,
    "learning_rate": 3e-4,
    "warmup_steps": 100,
    "lr_scheduler_type": "cosine",
    "save_total_limit": 2,
}
SIZES = {"vocab_size": 8000, "d_model": 256, "encoder_ffn_dim": 1024, "decoder_ffn_dim": 1024}
SHARED = {"share_encoder_decoder_embeddings": True, "tie_word_embeddings": True}
PLAIN = """\
import json, sys, time
from pathlib import Path
import torch
from transformers import (DataCollatorForSeq2Seq, MarianConfig, MarianMTModel, MarianTokenizer,
                          Seq2SeqTrainer, Seq2SeqTrainingArguments, TrainerCallback, set_seed)

guarded, settings, rows = Path(sys.argv[1]), json.loads(sys.argv[2]), []

class Clock(TrainerCallback):
    def on_log(self, args, state, control, logs, **known):
        if "loss" in logs:
            rows.append({"step": state.global_step, "time": time.time(), "loss": logs["loss"]})

    def on_save(self, args, state, control, **known):
        rows[-1]["saved"] = time.time()

torch.use_deterministic_algorithms(True, warn_only=True)
set_seed(0)
tokenizer = MarianTokenizer.from_pretrained(guarded)
model = MarianMTModel(MarianConfig.from_pretrained(guarded))
lines = [Path("train." + side).read_text(encoding="utf-8").splitlines() for side in ("ja", "ko")]
sources = tokenizer(lines[0], truncation=True, max_length=128)["input_ids"]
targets = tokenizer(text_target=lines[1], truncation=True, max_length=128)["input_ids"]
data = [{"input_ids": source, "labels": target} for source, target in zip(sources, targets)]
arguments = Seq2SeqTrainingArguments("plain", seed=0, data_seed=0, use_cpu=True, save_strategy="steps",
                                     report_to=[], disable_tqdm=True, dataloader_pin_memory=False, **settings)
collator = DataCollatorForSeq2Seq(tokenizer, model=model)
Seq2SeqTrainer(model=model, args=arguments, train_dataset=data, data_collator=collator,
               processing_class=tokenizer, callbacks=[Clock()]).train()
Path("plain.json").write_text(json.dumps(rows))
"""


@dataclass(frozen=True)
class Training:
    """By step: the time of each log (seconds), its loss, and the seconds of each save and of its evidence."""

    times: dict[int, float]
    losses: dict[int, float]
    saves: dict[int, float]
    evidence: dict[int, float]

    @property
    def seconds(self) -> float:
        """From just before the first save to just before the last; each log comes right before its save."""
        return self.times[max(self.times)] - self.times[min(self.times)]


def main() -> None:
    options = _options()
    steps = (options.saves + 1) * options.save_steps
    settings = {**SETTINGS, "max_steps": steps, "save_steps": options.save_steps}
    settings["logging_steps"] = options.save_steps
    rounds: list[tuple[Training, Training]] = []
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "repository"
        prepare(root, settings)
        for number in range(options.rounds):
            folder, guarded = train_guarded(root)
            rounds.append((guarded, train_plainly(root, folder, settings)))
            check_same(*rounds[-1])
            print(f"round {number + 1} of {options.rounds}: {summary(*rounds[-1])}", flush=True)
    report(rounds, options.save_steps)


def prepare(root: Path, settings: dict[str, Any]) -> None:
    """Make a repository with the spec and its text: all the pairs of the language packs."""
    triples = pairs()
    text = {side: "".join(f"{getattr(one, side)}\n" for one in triples) for side in ("ja", "ko")}
    files = {"source": "train.ja", "reference": "train.ko"}
    spec = {
        "title": "a training to be measured",
        "task": "training",
        "model": {"family": "marian", "config": {**SIZES, **SHARED}},
        "languages": {"source": "ja", "target": "ko"},
        "data": {"train": files, "validation": files},
        "output": "models",
        "training": settings,
        "device": "cpu",
        "on_fail": "warn",
    }
    repository(root, {f"train.{side}": lines for side, lines in text.items()}, [[_ledger(), "init"]])
    (root / "experiments").mkdir(exist_ok=True)
    (root / "experiments" / "timed.yaml").write_text(json.dumps(spec))  # JSON is valid YAML


def train_guarded(root: Path) -> tuple[Path, Training]:
    """Call `ledger run`; return its newest checkpoint and the times. Exit unless all were marked."""
    done = _run([_ledger(), "run", "timed", "--again", "--json"], root, (0, 1))
    document = json.loads(done)
    _run([_ledger(), "sync"], root, (0,))
    rows = document["checkpoints"]
    if not all(row["marked"] for row in rows):
        sys.exit(f"not every checkpoint was verified, so there is nothing to measure:\n{done}")
    points = _series(root / ".ledger" / "mlflow.db", "loss", len(rows))
    return root / rows[-1]["path"], Training(
        times={step: time for step, time, _ in points},
        losses={step: loss for step, _, loss in points},
        saves={row["step"]: row["save_seconds"] for row in rows},
        evidence={row["step"]: row["evidence_seconds"] for row in rows},
    )


def _series(database: Path, name: str, count: int) -> list[tuple[int, float, float]]:
    """The newest points of a metric: step, seconds since 1970, value."""
    query = (
        "SELECT step, timestamp / 1000.0, value FROM metrics WHERE key = ? ORDER BY timestamp DESC LIMIT ?"
    )
    with sqlite3.connect(database) as connection:
        return list(connection.execute(query, (name, count)))


def train_plainly(root: Path, folder: Path, settings: dict[str, Any]) -> Training:
    """Run the plain script with the vocabulary and config of a guarded checkpoint."""
    _run([sys.executable, "-c", PLAIN, str(folder), json.dumps(settings)], root, (0,))
    rows = json.loads((root / "plain.json").read_text())
    return Training(
        times={row["step"]: row["time"] for row in rows},
        losses={row["step"]: row["loss"] for row in rows},
        saves={row["step"]: row["saved"] - row["time"] for row in rows},
        evidence={},
    )


def check_same(guarded: Training, plain: Training) -> None:
    """Exit unless both were the same training."""
    if guarded.losses != plain.losses:
        sys.exit(f"the losses differ, so the trainings are not the same\n{guarded.losses}\n{plain.losses}")


def summary(guarded: Training, plain: Training) -> str:
    return f"{plain.seconds:.1f} s plain, {guarded.seconds:.1f} s guarded, {_ratio(guarded, plain):.3f}"


def report(rounds: list[tuple[Training, Training]], save_steps: int) -> None:
    guarded, plain = ([pair[side] for pair in rounds] for side in (0, 1))
    count = len(plain[0].saves) - 1
    every = statistics.median(one.seconds for one in plain) / count
    saving = _median([one.saves for one in plain])
    waited = _median([one.evidence for one in guarded])
    last = statistics.median(one.evidence[max(one.evidence)] for one in guarded)
    ratio = statistics.median(_ratio(*pair) for pair in rounds)
    print(f"{count} saves a training, one every {save_steps} steps or {every:.1f} s; "
          f"{os.cpu_count()} cores, one left free; medians of {len(rounds)} rounds")  # fmt: skip
    print(f"  {'a save of the trainer':42} {saving:6.2f} s")
    print(f"  {'the training waits for evidence':42} {waited:6.2f} s; aim: less than the save: "
          f"{'reached' if waited < saving else 'missed'}")  # fmt: skip
    print(f"  {'evidence of the last save, with the sample':42} {last:6.2f} s")
    print(f"  {'share of the time blocked':42} {waited / every:7.1%}")
    print(f"throughput, guarded / plain: {ratio:.3f}; aim: at least {AIM}: "
          f"{'reached' if ratio >= AIM else 'missed'}; load when done: {os.getloadavg()[0]:.1f}")  # fmt: skip
    print(json.dumps({"ratio": ratio, "save_seconds": saving, "evidence_seconds": waited}))


def _ratio(guarded: Training, plain: Training) -> float:
    return plain.seconds / guarded.seconds


def _median(trainings: list[dict[int, float]]) -> float:
    """The median over all saves but the last of each training."""
    return statistics.median(
        seconds for saves in trainings for step, seconds in saves.items() if step != max(saves)
    )


def _ledger() -> str:
    return str(Path(sys.executable).with_name("ledger"))


def _run(command: list[str], place: Path, codes: tuple[int, ...]) -> str:
    """The command's stdout. Prints its output and exits if its exit code is not in `codes`."""
    threads = str(max(1, (os.cpu_count() or 2) - 1))
    environment = {**os.environ, "OMP_NUM_THREADS": threads, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in codes:
        sys.exit(
            f"{' '.join(command)[:60]} failed with exit code {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    return done.stdout


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="A training with verified checkpoints, compared with one without."
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--saves", type=int, default=2, help="number of saves to measure in each training")
    parser.add_argument("--save-steps", type=int, default=120)
    return parser.parse_args()


if __name__ == "__main__":
    main()
