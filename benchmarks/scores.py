"""Time and memory of BLEU and chrF++ with their intervals, compared with sacrebleu called directly.

    python benchmarks/scores.py [--corpus FILE] [--lines N]

The corpus is that of text_guards.py; the output is the reference with a word moved or dropped in each second
line. Each arm runs in a process of its own. sacrebleu's own intervals are left out above 20,000 lines, where
they take gigabytes.
"""

import argparse
import json
import multiprocessing
import multiprocessing.connection
import os
import resource
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from text_guards import LANGUAGE, grow, installed_text, read_corpus

from ledger.evaluation.line_statistics import LineStatistics
from ledger.evaluation.scoring import score
from ledger.evaluation.significance import intervals

MOST_LINES_FOR_SACREBLEU = 20_000

Numbers = list[float]


def main() -> int:
    options = _options()
    corpus = grow(read_corpus(options.corpus) if options.corpus else installed_text(), options.lines)
    lines = corpus.outputs
    print(
        f"{len(lines):,} lines from {corpus.origin}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    arms: dict[str, Callable[[Sequence[str], Sequence[str]], Numbers]] = {
        "sacrebleu, scores": sacrebleu_scores,
        "ours, scores": our_scores,
        "ours, scores and intervals": our_intervals,
    }
    if len(lines) <= MOST_LINES_FOR_SACREBLEU:
        arms["sacrebleu, scores and intervals"] = sacrebleu_intervals
    found = {name: _apart(arm, lines) for name, arm in arms.items()}
    print(f"{'':34}{'wall s':>8} {'CPU s':>8} {'peak MB':>9}")
    for name, (_, wall, cpu, peak) in found.items():
        print(f"{name:34}{wall:8.1f} {cpu:8.1f} {peak:9,.0f}")
    theirs, ours = found["sacrebleu, scores"], found["ours, scores"]
    print(f"ours / sacrebleu: {ours[1] / theirs[1]:.2f} of the time, {ours[3] / theirs[3]:.2f} of the memory")
    print("same scores" if ours[0] == theirs[0] else f"DIFFERENT SCORES: {ours[0]} and {theirs[0]}")
    print(json.dumps({name: one[1:] for name, one in found.items()}))
    return 0 if ours[0] == theirs[0] else 1


def sacrebleu_scores(output: Sequence[str], reference: Sequence[str]) -> Numbers:
    bleu, chrf = BLEU(tokenize="ja-mecab", force=True), CHRF(word_order=2)
    return [metric.corpus_score(output, [reference]).score for metric in (bleu, chrf)]


def sacrebleu_intervals(output: Sequence[str], reference: Sequence[str]) -> Numbers:
    bleu, chrf = BLEU(tokenize="ja-mecab", force=True), CHRF(word_order=2)
    return [metric.corpus_score(output, [reference], n_bootstrap=1000).score for metric in (bleu, chrf)]


def our_scores(output: Sequence[str], reference: Sequence[str]) -> Numbers:
    scores = score(output, reference, LANGUAGE)
    return [scores.bleu.value, scores.chrf.value]


def our_intervals(output: Sequence[str], reference: Sequence[str]) -> Numbers:
    statistics = LineStatistics.extract(output, (reference,), LANGUAGE)
    intervals(statistics)
    return [metric.value for metric in statistics.metrics()]


def _damaged(lines: Sequence[str]) -> list[str]:
    return [line if number % 2 else line[len(line) // 4 :] + line[:3] for number, line in enumerate(lines)]


def _apart(
    arm: Callable[[Sequence[str], Sequence[str]], Numbers], lines: Sequence[str]
) -> tuple[Numbers, float, float, float]:
    """Its numbers, wall and CPU seconds, and the MB of its largest process, measured in a fresh process."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_measured, args=(arm, lines, sender))
    process.start()
    found: tuple[Numbers, float, float, float] = receiver.recv()
    process.join()
    return found


def _measured(
    arm: Callable[[Sequence[str], Sequence[str]], Numbers],
    lines: Sequence[str],
    sender: multiprocessing.connection.Connection,
) -> None:
    output, begun = _damaged(lines), perf_counter()
    before = sum(os.times()[:4])
    numbers = arm(output, lines)
    wall, cpu = perf_counter() - begun, sum(os.times()[:4]) - before
    own, children = (
        resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    sender.send((numbers, wall, cpu, max(own, children) * 1024 / 1e6))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpus", type=Path, help="plain text, or TSV with columns ja and ko; .gz is read")
    parser.add_argument("--lines", type=int, default=100_000)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
