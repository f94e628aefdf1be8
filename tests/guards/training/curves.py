"""Training logs in the shapes that real ones have: a table of curves, and the faults to inject into them.

Each curve is a `log_history` as the Hugging Face Trainer writes it (losses rounded to 4 decimals). The shapes
follow public logs; the numbers are drawn here, from a seed.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import exp, log

Row = Mapping[str, object]
Log = list[dict[str, object]]


@dataclass(frozen=True)
class Shape:
    """A loss that falls from `start` to `end` over `rows` rows, `noise` being the spread of its logarithm.

    `bend` is the share of the rows in which half of the fall (in logarithms) happens. With `epochs` the loss
    falls in steps, one for each pass over the data. `grad_norm` is the mean norm at the start; None: none
    `evaluations` maps a metric's name to its first and last value.
    """

    name: str
    rows: int
    start: float
    end: float
    noise: float = 0.05
    bend: float = 0.25
    epochs: int = 0
    every: int = 10
    grad_norm: float | None = 2.0
    warmup: float = 0.1
    learning_rate: float = 5e-5
    constant_rate: bool = False
    evaluations: Mapping[str, tuple[float, float]] | None = None
    evaluated: int = 5
    reward: tuple[float, float] | None = None


HEALTHY = (
    Shape("whisper small, 200 rows", 200, 0.93, 0.0004, 0.08, epochs=9, every=25, grad_norm=6.0,
          evaluations={"eval_loss": (0.33, 0.47), "eval_wer": (41.2, 33.6)}),
    Shape("whisper tiny, 400 rows", 400, 2.81, 0.82, 0.06, 0.08, every=25, grad_norm=9.0,
          evaluations={"eval_loss": (1.21, 0.74), "eval_wer": (88.0, 47.5)}, evaluated=20),
    Shape("whisper large, large spread", 150, 0.71, 0.012, 0.55, 0.2, every=2, grad_norm=3.0,
          evaluations={"eval_loss": (0.29, 0.36), "eval_wer": (19.9, 17.1)}, evaluated=15),
    Shape("whisper medium, 5 rows", 5, 0.81, 0.14, 0.02, every=1000, grad_norm=1.4,
          evaluations={"eval_loss": (0.41, 0.38), "eval_wer": (24.0, 21.5)}),
    Shape("whisper base, 40 rows", 40, 1.24, 0.09, 0.07, epochs=4, every=25,
          evaluations={"eval_loss": (0.52, 0.49), "eval_wer": (47.3, 39.0)}, evaluated=4),
    Shape("mT5 summaries, 350 rows", 350, 24.1, 2.31, 0.04, 0.06, every=500, grad_norm=None,
          evaluations={"eval_loss": (2.9, 2.2), "eval_rouge1": (11.0, 18.4)}, evaluated=14),
    Shape("T5 from scratch, 400 rows", 400, 10.7, 0.84, 0.12, 0.3, every=50, grad_norm=1.1),
    Shape("T5, hardly falling", 380, 2.02, 1.76, 0.05, 0.3, grad_norm=0.9),
    Shape("T5 summaries, 16 rows", 16, 2.44, 0.16, 0.05, 0.4, every=500,
          evaluations={"eval_loss": (0.9, 0.31)}, evaluated=4),
    Shape("T5 colloquial, 18 rows", 18, 4.4, 0.11, 0.06, 0.4, every=20, evaluations={"eval_loss": (1.9,
          0.2)}),
    Shape("LoRA chat, 186 rows", 186, 2.09, 1.03, 0.08, 0.15, grad_norm=0.7,
          evaluations={"eval_loss": (1.24, 1.02)}, evaluated=14),
    Shape("LoRA, prefix, 300 rows", 300, 2.7, 1.18, 0.12, 0.05, grad_norm=None),
    Shape("LoRA, 60 rows, few steps", 60, 1.61, 1.28, 0.09, 0.3, every=1, grad_norm=0.4),
    Shape("QLoRA, 12 rows", 12, 3.27, 2.98, 0.02, 0.5, every=5, grad_norm=0.6),
    Shape("LoRA, small loss, 120 rows", 120, 1.38, 0.08, 0.3, 0.3, grad_norm=0.5),
    Shape("LoRA to rounding, 300 rows", 300, 4.3, 0.003, 0.18, 0.3, grad_norm=1.0, learning_rate=2e-4),
    Shape("LoRA, constant rate", 90, 1.9, 1.2, 0.07, 0.2, constant_rate=True, grad_norm=0.3),
    Shape("classifier, 29 rows", 29, 0.71, 0.021, 0.07, 0.35, every=100,
          evaluations={"eval_loss": (0.27, 0.36), "eval_f1": (0.598, 0.655)}, evaluated=10),
    Shape("classifier, 28 rows, weighted loss", 28, 1.07, 0.46, 0.02, 0.3, every=100,
          evaluations={"eval_loss": (0.84, 0.79), "eval_f1": (0.41, 0.57)}, evaluated=10),
    Shape("classifier, focal loss", 28, 0.39, 0.0042, 0.3, 0.4, every=100,
          evaluations={"eval_loss": (0.11, 0.19), "eval_f1": (0.55, 0.61)}, evaluated=10),
    Shape("classifier, 55 rows, by epoch", 55, 0.8, 0.034, 0.06, epochs=10, every=50,
          evaluations={"eval_loss": (0.3, 0.44), "eval_f1": (0.57, 0.63)}, evaluated=10),
    Shape("classifier, 66 rows, low", 66, 0.121, 0.068, 0.14, 0.4, every=10,
          evaluations={"eval_loss": (0.09, 0.07), "eval_accuracy": (0.96, 0.975)}, evaluated=2),
    Shape("classifier, 4 rows", 4, 0.55, 0.2, 0.03, 0.5, every=500,
          evaluations={"eval_loss": (0.42, 0.44), "eval_accuracy": (0.81, 0.85)}, evaluated=4),
    Shape("classifier, 22 rows", 22, 0.46, 0.027, 0.14, 0.4, every=200,
          evaluations={"eval_loss": (0.31, 0.42), "eval_matthews_correlation": (0.71, 0.79)}, evaluated=11),
    Shape("token classifier, 8 rows", 8, 4.6, 3.95, 0.02, 0.5, every=500, evaluations={"eval_loss": (4.4,
          4.0)}),
    Shape("TrOCR, 350 rows", 350, 5.3, 0.1, 0.25, 0.25, every=10, grad_norm=14.0,
          evaluations={"eval_loss": (1.9, 0.6), "eval_cer": (0.71, 0.12)}, evaluated=7),
    Shape("vision and language, 90 rows", 90, 19.2, 0.0024, 0.2, 0.3, grad_norm=30.0,
          evaluations={"eval_loss": (2.1, 0.004)}, evaluated=18),
    Shape("GPT from scratch, 400 rows", 400, 10.8, 3.4, 0.02, 0.1, every=100, grad_norm=0.8,
          learning_rate=6e-4),
    Shape("continued pre-training, 10 rows", 10, 1.14, 0.26, 0.03, 0.5, every=100,
          evaluations={"eval_loss": (0.9, 0.4)}, evaluated=10),
    Shape("Marian from scratch, 120 rows", 120, 9.4, 1.6, 0.05, 0.2, every=50, grad_norm=1.5,
          learning_rate=3e-4,
          evaluations={"eval_loss": (4.1, 2.0), "eval_bleu": (1.6, 18.6)}, evaluated=6),
    Shape("NLLB fine-tuning, 70 rows", 70, 4.8, 1.7, 0.05, 0.2, every=100, grad_norm=1.2,
          evaluations={"eval_loss": (2.4, 1.9), "eval_bleu": (9.5, 21.3)}, evaluated=7),
    Shape("mBART fine-tuning, 44 rows", 44, 3.9, 1.1, 0.06, 0.25, every=500, grad_norm=2.4,
          evaluations={"eval_loss": (1.8, 1.4), "eval_bleu": (14.0, 26.0), "eval_gen_len": (31.0, 28.0)}),
    Shape("wav2vec, 34 rows", 34, 6.1, 0.42, 0.1, 0.2, every=400, grad_norm=3.0,
          evaluations={"eval_loss": (1.1, 0.44), "eval_wer": (0.81, 0.33)}, evaluated=6),
    Shape("ViT, 96 rows", 96, 2.2, 0.19, 0.12, 0.25, every=10, grad_norm=2.1,
          evaluations={"eval_loss": (0.9, 0.31), "eval_accuracy": (0.71, 0.93)}, evaluated=4),
    Shape("embeddings, 25 rows", 25, 1.31, 0.22, 0.09, 0.3, every=100, grad_norm=4.0),
    Shape("ByT5, 240 rows", 240, 1.05, 0.31, 0.08, 0.2, every=50, grad_norm=None),
    Shape("DPO, 80 rows", 80, 0.693, 0.41, 0.08, 0.5, every=5, grad_norm=20.0, learning_rate=5e-7,
          reward=(0.0, 1.4)),
    Shape("GRPO, 100 rows, reward rises", 100, 0.0, 0.0, 0.004, every=1, grad_norm=0.2, learning_rate=1e-6,
          reward=(0.31, 0.74)),
    Shape("reward model, 45 rows", 45, 0.69, 0.31, 0.09, 0.3, every=20, grad_norm=6.0, learning_rate=1e-5,
          evaluations={"eval_loss": (0.61, 0.43), "eval_accuracy": (0.66, 0.81)}, evaluated=5),
    Shape("GRPO, 60 rows, loss of both signs", 60, 0.0, 0.0, 0.05, every=1, grad_norm=0.5, learning_rate=1e-6,
          reward=(1.1, 2.6)),
)  # fmt: skip


def draw(shape: Shape, seed: int = 0) -> Log:
    """The rows of the log, evaluations among them, as `trainer_state.json` has them."""
    random_ = random.Random(f"{shape.name} {seed}")
    spread = [random_.gauss(0, shape.noise) for _ in range(shape.rows)]
    losses = [_loss(shape, row, spread[row]) for row in range(shape.rows)]
    rows: Log = []
    total = shape.rows * shape.every
    evaluate_at = {max(1, round(shape.rows * (i + 1) / shape.evaluated)): i for i in range(shape.evaluated)}
    for row, loss in enumerate(losses):
        step = (row + 1) * shape.every
        rows.append({"step": step, "epoch": round(3 * step / total, 2), "loss": round(loss, 4)})
        rows[-1]["learning_rate"] = _rate(shape, step / total)
        if shape.grad_norm is not None:
            share = (row + 1) / shape.rows
            rows[-1]["grad_norm"] = shape.grad_norm * (0.3 + 0.7 * (1 - share)) * exp(random_.gauss(0, 0.25))
        if shape.reward is not None:
            first, last = shape.reward
            reward = (
                first + (last - first) * (row + 1) / shape.rows + random_.gauss(0, abs(last - first) / 20)
            )
            rows[-1]["rewards/margins" if shape.name.startswith("DPO") else "reward"] = round(reward, 4)
        if shape.evaluations and (row + 1) in evaluate_at:
            rows.append({"step": step, **_evaluation(shape, evaluate_at[row + 1])})
    return rows


def _loss(shape: Shape, row: int, spread: float) -> float:
    if shape.start == 0:
        return spread
    done = row / max(1, shape.rows - 1)
    if shape.epochs:
        done = int(done * shape.epochs) / shape.epochs + 0.15 * ((done * shape.epochs) % 1) / shape.epochs
    curve = done ** (log(0.5) / log(shape.bend))  # half of the fall at `bend`
    return shape.start * (shape.end / shape.start) ** curve * exp(spread)


def _rate(shape: Shape, share: float) -> float:
    if shape.constant_rate:
        return shape.learning_rate
    if share < shape.warmup:
        return shape.learning_rate * share / shape.warmup
    return shape.learning_rate * (1 - share) / (1 - shape.warmup)


def _evaluation(shape: Shape, number: int) -> dict[str, object]:
    done = number / max(1, shape.evaluated - 1)
    assert shape.evaluations is not None
    return {name: round(a + (b - a) * done, 4) for name, (a, b) in shape.evaluations.items()}


# --- faults ---------------------------------------------------------------------------------------------

Fault = Callable[[list[float], random.Random], list[float]]
FROM = 0.6  # the share of the rows at which a fault begins


def _from(losses: list[float], change: Callable[[int, float], float]) -> list[float]:
    begin = int(len(losses) * FROM)
    return [change(i - begin, loss) if i >= begin else loss for i, loss in enumerate(losses)]


def jump_back(losses: list[float], random_: random.Random) -> list[float]:
    """Back to the first loss, and there it stays."""
    return _from(losses, lambda _i, _loss: losses[0] * random_.uniform(0.97, 1.03))


def climb(times: float) -> Fault:
    """A slow, steady climb to `times` the first loss."""

    def fault(losses: list[float], random_: random.Random) -> list[float]:
        begin = int(len(losses) * FROM)
        low, rows = losses[begin], len(losses) - begin
        return _from(losses, lambda i, _loss: low + (times * losses[0] - low) * (i + 1) / rows)

    return fault


def level_times_3(losses: list[float], random_: random.Random) -> list[float]:
    """From there on three times as high."""
    return _from(losses, lambda _i, loss: 3 * loss)


def one_row(times: float) -> Fault:
    """One row `times` as high; the next is as it was."""
    return lambda losses, random_: _from(losses, lambda i, loss: times * loss if i == 0 else loss)


def never_learns(losses: list[float], random_: random.Random) -> list[float]:
    """The first loss throughout, within 3%."""
    return [losses[0] * random_.uniform(0.97, 1.03) for _ in losses]


def not_a_number(losses: list[float], random_: random.Random) -> list[float]:
    """NaN from there on."""
    return _from(losses, lambda _i, _loss: float("nan"))


def inject(rows: Log, fault: Fault, seed: int = 0) -> Log:
    """The log with the fault in its losses; evaluations, norms and rates as they were."""
    losses = [row["loss"] for row in rows if "loss" in row]
    changed = iter(fault(losses, random.Random(seed)))  # type: ignore[arg-type]
    return [{**row, "loss": round(next(changed), 4)} if "loss" in row else row for row in rows]
