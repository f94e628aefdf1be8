"""One pass over an output, which collects the evidence that all text guards read."""

import os
from array import array
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from guards.text import off_target, other_language
from guards.text.measures.chunk import Chunk
from guards.text.scan.rules import EXCLUSIVE, SAMPLE_PRIORITY, Rules, flagged_plainly, rules_for
from ledger.errors import LedgerError
from ledger.evidence.text import Flagged, LineSample, TextEvidence
from ledger.utils.plural import count
from ledger.utils.text import shorten

if TYPE_CHECKING:
    from guards.text.measures.fingerprints import Prints

CHUNK_LINES = 16384
# Smaller texts are faster with the plain rules, or in one process.
FAST_FROM_LINES = 4096
PARALLEL_FROM_LINES = 65536
SAMPLE_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class ScannedText:
    """A whole text with the rules that apply to it."""

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
    """A flagged line as a candidate for the samples; the one of the highest priority is shown first."""

    priority: int
    index: int
    output: str


@dataclass(frozen=True, slots=True)
class Tally:
    """The lines that one rule flagged: their indices in the text, and the best samples."""

    indices: "array[int]"
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class TalliedChunk:
    """What the rules flagged in one chunk, by code, and the chunk's fingerprints, if there are any."""

    tallies: Mapping[str, Tally]
    prints: "tuple[Prints, Prints] | None"


@dataclass(frozen=True, slots=True)
class Scan:
    """The evidence on a text, and the indices of all flagged lines, by code."""

    evidence: TextEvidence
    lines: Mapping[str, Sequence[int]]


def scan(
    output: Sequence[str],
    *,
    source: Sequence[str] | None,
    language: str | None,
    markers: Sequence[str],
    reference: Sequence[str] | None = None,
    samples: int = 5,
    processes: int | None = None,
) -> TextEvidence:
    """Apply every rule that applies to every line of `output`.

    `language` is the target's code in any tokenizer's spelling, `markers` are the strings that mark a failed
    line, `samples` is the number of worst lines to store for each code, `processes` the number of processes
    for a large text (default: the number of cores available to this process).
    Raises LedgerError if output, source and reference differ in length.
    """
    return scan_lines(
        Chunk(output, source, reference),
        language=language,
        markers=markers,
        samples=samples,
        processes=processes,
    ).evidence


def scan_lines(
    whole: Chunk,
    *,
    language: str | None,
    markers: Sequence[str],
    samples: int = 5,
    processes: int | None = None,
) -> Scan:
    """As `scan`, with all flagged lines."""
    for name, other in (("source", whole.sources), ("reference", whole.references)):
        if other is not None and len(other) != len(whole.outputs):
            raise LedgerError(
                f"the output has {count(len(whole.outputs), 'line')} and the {name} {len(other):,}",
                hint="they must match line for line: is this the output of this source, and of all of it?",
            )
    rules = rules_for(
        has_source=whole.sources is not None,
        has_reference=whole.references is not None,
        language=language,
        markers=markers,
        outputs=whole.outputs,
    )
    text = ScannedText(whole.outputs, whole.sources, rules, samples)
    chunks = _tallied(text, processes or _cores())
    tallies = _joined([chunk.tallies for chunk in chunks], text)
    tallies |= _across(replace(whole, prints=_all_prints(chunks)), text, tallies)
    evidence = TextEvidence(
        lines=len(whole.outputs),
        flagged={code: _flagged(tally, text, _judged(code, rules, whole)) for code, tally in tallies.items()},
        unseen=dict(rules.unseen),
    )
    return Scan(evidence, {code: tally.indices for code, tally in tallies.items()})


def _all_prints(chunks: Sequence[TalliedChunk]) -> "tuple[Prints, Prints] | None":
    """The fingerprints of the whole text, if all chunks have theirs."""
    parts = [chunk.prints for chunk in chunks if chunk.prints]
    if not parts or len(parts) < len(chunks):
        return None
    import numpy as np

    outputs, sources = (np.concatenate(side) for side in zip(*parts, strict=True))
    return outputs, sources


def _joined(tallies: Sequence[Mapping[str, Tally]], text: ScannedText) -> dict[str, Tally]:
    """The tallies of all chunks as one for each code."""
    joined: dict[str, Tally] = {}
    for code in text.rules.by_code:
        indices = array("l")
        for tally in tallies:
            indices.extend(tally[code].indices)
        joined[code] = Tally(indices, _best((hit for t in tallies for hit in t[code].hits), text.samples))
    return joined


def _across(whole: Chunk, text: ScannedText, tallies: Mapping[str, Tally]) -> dict[str, Tally]:
    """The tallies of the rules that look at all lines together."""
    claimed = {index for code in EXCLUSIVE if code in tallies for index in tallies[code].indices}
    found = {}
    if text.rules.script and text.rules.script.needs_kana:
        more = [index for index in off_target.lines_without_kana(whole) if index not in claimed]
        indices = array("l", sorted({*tallies[off_target.CODE].indices, *more}))
        hits = _best((_hit(off_target.CODE, whole, i, 0) for i in indices), text.samples)
        found[off_target.CODE] = Tally(indices, hits)
    for code, rule in text.rules.across.items():
        indices = array("l", (index for index in rule(whole) if index not in claimed))
        found[code] = Tally(indices, _best((_hit(code, whole, i, 0) for i in indices), text.samples))
    return found


# --- chunks, here or in other processes ---------------------------------------------------------------


def _tallied(text: ScannedText, processes: int) -> list[TalliedChunk]:
    if processes > 1 and len(text.outputs) >= PARALLEL_FROM_LINES:
        try:
            return _tallied_in_parallel(text, processes)
        except (BrokenProcessPool, OSError):
            pass  # no further process could be started: continue in this one
    return [_tally(text, lines) for lines in text.ranges]


def _tallied_in_parallel(text: ScannedText, processes: int) -> list[TalliedChunk]:
    # Passed to the initializer, the text is inherited by a forked process and sent once to a spawned one.
    with ProcessPoolExecutor(processes, initializer=_receive, initargs=(text,)) as pool:
        return list(pool.map(_tally_received, text.ranges))


def _tally(text: ScannedText, lines: range) -> TalliedChunk:
    within = slice(lines.start, lines.stop)
    chunk = Chunk(text.outputs[within], None if text.sources is None else text.sources[within])
    flagged, prints = _flagged_lines(chunk, text)
    tallies = {
        code: Tally(
            array("l", (lines.start + i for i in indices)),
            _best([_hit(code, chunk, i, lines.start) for i in indices], text.samples),
        )
        for code, indices in flagged.items()
    }
    return TalliedChunk(tallies, prints)


def _flagged_lines(
    chunk: Chunk, text: ScannedText
) -> "tuple[dict[str, list[int]], tuple[Prints, Prints] | None]":
    """By the plain rules, or by the fast path in texts that are worth the import of numpy."""
    if len(text.outputs) < FAST_FROM_LINES:
        return flagged_plainly(chunk, text.rules), None
    from guards.text.scan import prefilter
    from guards.text.scan.view import View

    view = View.of(chunk, text.rules)
    return prefilter.flagged(view), view.prints


_received: list[ScannedText] = []


def _receive(text: ScannedText) -> None:
    _received[:] = [text]


def _tally_received(lines: range) -> TalliedChunk:
    return _tally(_received[0], lines)


# --- samples ------------------------------------------------------------------------------------------


def _hit(code: str, chunk: Chunk, index: int, start: int) -> Hit:
    output = chunk.outputs[index]
    return Hit(SAMPLE_PRIORITY[code](output, chunk.source(index)), start + index, output)


def _best(hits: Iterable[Hit], samples: int) -> tuple[Hit, ...]:
    """The hits of the highest priority, earlier lines first among equals: distinct outputs, then repeats."""
    distinct: dict[str, Hit] = {}
    repeated: list[Hit] = []
    for hit in sorted(hits, key=lambda hit: (-hit.priority, hit.index)):
        if distinct.setdefault(hit.output, hit) is not hit:
            repeated.append(hit)
    return (*list(distinct.values())[:samples], *repeated[:samples])


def _flagged(tally: Tally, text: ScannedText, judged: int | None) -> Flagged:
    worst = (sample_line(hit.index, text.outputs, text.sources) for hit in tally.hits[: text.samples])
    return Flagged(len(tally.indices), tuple(worst), judged)


def _judged(code: str, rules: Rules, whole: Chunk) -> int | None:
    """The number of lines that a rule drew of a longer text."""
    is_long = len(whole.outputs) > other_language.SAMPLED_LINES
    is_drawn = is_long and code == other_language.CODE and code in rules.across
    return other_language.SAMPLED_LINES if is_drawn else None


def sample_line(index: int, outputs: Sequence[str], sources: Sequence[str] | None) -> LineSample:
    """A flagged line as findings show it: number from 1, long texts shortened."""
    source = None if sources is None else shorten(sources[index], SAMPLE_CHARACTERS)
    return LineSample(index + 1, shorten(outputs[index], SAMPLE_CHARACTERS), source)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
