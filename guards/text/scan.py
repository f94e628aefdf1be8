"""One pass over an output: the evidence that all text guards read."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from guards.text.rules import TELLING, Chunk, Rules, flagged_plainly, rules_for
from ledger.errors import LedgerError
from ledger.evidence.text import Flagged, LineSample, TextEvidence

CHUNK_LINES = 4096
# Below these sizes the plain rules, or one process, are done before the faster way has started.
FAST_FROM_LINES = 4096
PARALLEL_FROM_LINES = 65536
SAMPLE_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class ScannedText:
    """A whole text with the rules that look at it."""

    outputs: Sequence[str]
    sources: Sequence[str] | None
    rules: Rules
    samples: int

    @property
    def ranges(self) -> list[range]:
        """The text's line indices in chunks."""
        total = len(self.outputs)
        return [range(start, min(start + CHUNK_LINES, total)) for start in range(0, total, CHUNK_LINES)]


@dataclass(frozen=True, slots=True)
class Hit:
    """A flagged line as a candidate for the samples. `weight`: how much it tells."""

    weight: int
    index: int
    output: str


@dataclass(frozen=True, slots=True)
class Tally:
    """What one rule flagged in some lines: how many, and the best samples of them."""

    count: int
    hits: tuple[Hit, ...]


def scan(
    output: Sequence[str],
    *,
    source: Sequence[str] | None,
    language: str | None,
    markers: Sequence[str],
    samples: int = 5,
    processes: int | None = None,
) -> TextEvidence:
    """Look at every line of `output` with every rule that can.

    `language` is the target's code in any tokenizer's spelling, `markers` are the strings that stand for a
    failed line, `samples` is how many of the worst lines each code keeps, `processes` how many to use on a
    large text (default: as many as there are cores for this process).
    Raises LedgerError when output and source differ in length.
    """
    if source is not None and len(source) != len(output):
        raise LedgerError(
            f"the output has {len(output):,} lines and the source {len(source):,}",
            hint="they must match line for line: is it the output of this source, and of all of it?",
        )
    rules = rules_for(has_source=source is not None, language=language, markers=markers)
    text = ScannedText(output, source, rules, samples)
    tallies = _tallies(text, processes or _cores())
    return TextEvidence(
        lines=len(output),
        flagged={code: _flagged(code, tallies, text) for code in rules.by_code},
        unseen=dict(rules.unseen),
    )


# --- chunks, here or in other processes ---------------------------------------------------------------


def _tallies(text: ScannedText, processes: int) -> list[dict[str, Tally]]:
    if processes > 1 and len(text.outputs) >= PARALLEL_FROM_LINES:
        try:
            return _tallies_in_parallel(text, processes)
        except (BrokenProcessPool, OSError):
            pass  # no further process to be had: this one can do it alone
    return [_tally(text, lines) for lines in text.ranges]


def _tallies_in_parallel(text: ScannedText, processes: int) -> list[dict[str, Tally]]:
    # Handed to the initializer, the text is inherited by a forked process and sent once to a spawned one.
    with ProcessPoolExecutor(processes, initializer=_receive, initargs=(text,)) as pool:
        return list(pool.map(_tally_received, text.ranges))


def _tally(text: ScannedText, lines: range) -> dict[str, Tally]:
    within = slice(lines.start, lines.stop)
    chunk = Chunk(text.outputs[within], None if text.sources is None else text.sources[within])
    return {
        code: Tally(len(indices), _best([_hit(code, chunk, i, lines.start) for i in indices], text.samples))
        for code, indices in _look(text)(chunk, text.rules).items()
    }


def _look(text: ScannedText) -> Callable[[Chunk, Rules], dict[str, list[int]]]:
    """The plain rules, or the same findings faster where importing numpy pays."""
    if len(text.outputs) < FAST_FROM_LINES:
        return flagged_plainly
    from guards.text import prefilter

    return prefilter.flagged


_received: list[ScannedText] = []


def _receive(text: ScannedText) -> None:
    _received[:] = [text]


def _tally_received(lines: range) -> dict[str, Tally]:
    return _tally(_received[0], lines)


# --- samples ------------------------------------------------------------------------------------------


def _hit(code: str, chunk: Chunk, index: int, start: int) -> Hit:
    output = chunk.outputs[index]
    return Hit(TELLING[code](output, chunk.source(index)), start + index, output)


def _best(hits: Iterable[Hit], samples: int) -> tuple[Hit, ...]:
    """The most telling hits, the earlier one first among equals: different outputs, then repeated ones."""
    different: dict[str, Hit] = {}
    repeated: list[Hit] = []
    for hit in sorted(hits, key=lambda hit: (-hit.weight, hit.index)):
        if different.setdefault(hit.output, hit) is not hit:
            repeated.append(hit)
    return (*list(different.values())[:samples], *repeated[:samples])


def _flagged(code: str, tallies: Sequence[Mapping[str, Tally]], text: ScannedText) -> Flagged:
    count = sum(tally[code].count for tally in tallies)
    best = _best((hit for tally in tallies for hit in tally[code].hits), text.samples)
    return Flagged(count, tuple(_sample(hit.index, text) for hit in best[: text.samples]))


def _sample(index: int, text: ScannedText) -> LineSample:
    source = None if text.sources is None else _cut(text.sources[index])
    return LineSample(index + 1, _cut(text.outputs[index]), source)


def _cut(line: str) -> str:
    return line if len(line) <= SAMPLE_CHARACTERS else line[: SAMPLE_CHARACTERS - 1] + "…"


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
