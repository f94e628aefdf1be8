"""sacrebleu's statistics of each line, from which scores, intervals and paired tests are computed.

Extracting them takes nearly all of the time of a score, so it is done once. sacrebleu holds the n-grams of
all references at once, 18 GB for a million lines: here a few thousand lines are taken at a time, by several
processes where that pays, and their counts are kept in one array. The scores are the same.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Self

from ledger.errors import LedgerError
from ledger.evaluation.sacrebleu_metrics import load_metrics
from ledger.evidence.metrics import Metric
from ledger.utils.plural import count

if TYPE_CHECKING:
    import numpy as np
    from sacrebleu.metrics.bleu import BLEUScore
    from sacrebleu.metrics.chrf import CHRFScore

    Counts = np.ndarray[Any, np.dtype[np.int32]]
    # The language, and lines of the output and of each reference.
    Chunk = tuple[str, Sequence[str], Sequence[Sequence[str]]]

CHUNK_LINES = 4_000
# Below this, processes take longer to start than they save.
PARALLEL_FROM_LINES = 12_000


@dataclass(frozen=True, slots=True)
class LineStatistics:
    """The counts of each line of one output: for BLEU and for chrF++ an array of shape (lines, columns).

    `signatures` are those of the two scores.
    """

    language: str
    counts: "tuple[Counts, Counts]"
    signatures: tuple[str, str]

    @classmethod
    def extract(cls, output: Sequence[str], references: Sequence[Sequence[str]], language: str) -> Self:
        """The statistics of `output` against its references, line by line.

        `language` is that of the texts, in any family's spelling (`ja`, `ja_XX`, `jpn_Jpan`); it selects
        BLEU's tokenizer. Raises LedgerError when the texts differ in length, are empty, or the tokenizer's
        package is missing.
        """
        import numpy as np

        _validate(output, references)
        # sacrebleu's signature names the number of references, which it notes as it reads some.
        _extract(language, output[:1], [one[:1] for one in references])
        signatures = [str(metric.get_signature()) for metric in load_metrics(language)]
        chunks = list(_chunks(language, output, references))
        bleu, chrf = (np.concatenate(found) for found in zip(*_extract_all(chunks), strict=True))
        return cls(language, (bleu, chrf), (signatures[0], signatures[1]))

    def rewritten(
        self,
        output: Sequence[str],
        references: Sequence[Sequence[str]],
        rewrite: Callable[[str], str],
        name: str,
    ) -> Self:
        """The statistics after `rewrite` of each line of the same texts; `name` joins the signatures."""
        changed = [
            (row, new)
            for row, old in enumerate(zip(output, *references, strict=True))
            if (new := tuple(map(rewrite, old))) != old
        ]
        bleu, chrf = (one.copy() for one in self.counts)
        if changed:
            first, *others = zip(*(texts for _, texts in changed), strict=True)
            rows = [row for row, _ in changed]
            bleu[rows], chrf[rows] = self.extract(first, others, self.language).counts
        of_bleu, of_chrf = self.signatures
        return replace(self, counts=(bleu, chrf), signatures=(f"{of_bleu}|{name}", f"{of_chrf}|{name}"))

    def totals(self) -> "tuple[BLEUScore, CHRFScore]":
        """sacrebleu's BLEU and chrF++ of the whole output."""
        bleu, chrf = load_metrics(self.language)
        bleu_counts, chrf_counts = (counts.sum(axis=0, dtype="int64").tolist() for counts in self.counts)
        return bleu._compute_score_from_stats(bleu_counts), chrf._compute_score_from_stats(chrf_counts)

    def metrics(self) -> tuple[Metric, Metric]:
        """BLEU and chrF++ (0-100) with their signatures."""
        bleu, chrf = (
            # The rounding of sacrebleu's sums of logarithms can give 100.00000000000004.
            Metric(min(float(total.score), 100.0), f"{total.name}|{signature}")
            for total, signature in zip(self.totals(), self.signatures, strict=True)
        )
        return bleu, chrf


def _validate(output: Sequence[str], references: Sequence[Sequence[str]]) -> None:
    for one in references:
        if len(output) != len(one):
            raise LedgerError(
                f"the output has {count(len(output), 'line')} and the reference {len(one):,}",
                hint="give the reference for this output, one line for each of its lines",
            )
    if not output:
        raise LedgerError("there are no lines to score", hint="give an output that has at least one line")


def _chunks(language: str, output: Sequence[str], references: Sequence[Sequence[str]]) -> "Iterator[Chunk]":
    for first in range(0, len(output), CHUNK_LINES):
        within = slice(first, first + CHUNK_LINES)
        yield language, output[within], [one[within] for one in references]


def _extract_all(chunks: "Sequence[Chunk]") -> "list[tuple[Counts, Counts]]":
    """Extract all chunks, in processes of their own where there are many."""
    processes = min(len(os.sched_getaffinity(0)), len(chunks))
    if processes > 1 and len(chunks) * CHUNK_LINES > PARALLEL_FROM_LINES:
        try:
            # A process that is forked while other threads run may never get a lock that one of them held.
            with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
                return list(pool.map(_extract, *zip(*chunks, strict=True)))
        except (BrokenProcessPool, OSError):
            pass  # no further process could be started: continue in this one
    return [_extract(*chunk) for chunk in chunks]


def _extract(
    language: str, output: Sequence[str], references: Sequence[Sequence[str]]
) -> "tuple[Counts, Counts]":
    import numpy as np

    bleu, chrf = (
        np.array(metric._extract_corpus_statistics(list(output), references), dtype=np.int32)
        for metric in load_metrics(language)
    )
    return bleu, chrf
