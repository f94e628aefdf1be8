"""Which lines of the validation text are in the training text, too.

The validation text is kept as four numbers of 8 bytes a line; the training text is read once, in chunks, and
never held.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt

from guards.text.measures.fingerprints import Prints, fingerprints
from ledger.evidence.preflight import LeakedLines
from runners.worker.messages import TextFiles

CHUNK = 50_000
LONG = 30  # letters of source and target together
KINDS = ("exact", "near", "source", "target")
MOST_EXAMPLES = 20

Lines = Sequence[str]
Keys = Prints  # a row for each of KINDS, a column for each line; 0: no key, since there is nothing to compare


def find_leaks(train: TextFiles, validation: TextFiles) -> LeakedLines:
    """Compare two parallel texts of UTF-8 lines. Blank lines do not count."""
    parts = [(_keys(*chunk), _letters(chunk)) for chunk in _chunks(validation)]
    wanted = np.concatenate([keys for keys, _ in parts], axis=1)
    is_long = np.concatenate([letters for _, letters in parts]) >= LONG
    found = np.zeros(wanted.shape, dtype=np.bool_)
    examples: dict[int, int] = {}
    for number, chunk in enumerate(_chunks(train)):
        keys = _keys(*chunk)
        for kind, row in enumerate(wanted):
            new = np.flatnonzero((row != 0) & ~found[kind] & np.isin(row, keys[kind]))
            found[kind, new] = True
            for line in new[: MOST_EXAMPLES - len(examples)].tolist():
                place = int(np.flatnonzero(keys[kind] == row[line])[0])
                examples.setdefault(line + 1, number * CHUNK + place + 1)
    first = np.cumsum(np.cumsum(found, axis=0), axis=0) == 1  # the first kind that applies to each line
    counts = first.sum(axis=1).tolist()
    return LeakedLines(
        **dict(zip(KINDS, counts, strict=True)),
        long_pairs=int((first[:2] & is_long).sum()),
        long_sources=int((first[2] & is_long).sum()),
        examples=tuple(sorted(examples.items())),
    )


def _chunks(files: TextFiles) -> Iterator[tuple[Lines, Lines]]:
    with (
        files.source.open(encoding="utf-8-sig", newline="\n") as source,
        files.reference.open(encoding="utf-8-sig", newline="\n") as reference,
    ):
        while sources := [line.strip() for line in islice(source, CHUNK)]:
            yield sources, [line.strip() for line in islice(reference, len(sources))]


def _keys(sources: Lines, targets: Lines) -> Keys:
    source, target = (
        np.fromiter(map(hash, side), np.int64, len(side)).astype(np.uint64) for side in (sources, targets)
    )
    return np.stack([_joined(source, target), _joined(_near(sources), _near(targets)), source, target])


def _near(lines: Lines) -> Prints:
    """Equal for lines with the same letters after NFKC, in lower case; 0 without any."""
    normal = unicodedata.is_normalized
    return fingerprints(
        [line if normal("NFKC", line) else unicodedata.normalize("NFKC", line) for line in lines]
    )


def _joined(source: Prints, target: Prints) -> Prints:
    joined = source * np.uint64(0x9E3779B97F4A7C15) + target
    joined[(source == 0) | (target == 0)] = 0
    return joined


def _letters(chunk: tuple[Lines, Lines]) -> npt.NDArray[np.int64]:
    counts = (sum(map(str.isalpha, source + target)) for source, target in zip(*chunk, strict=True))
    return np.fromiter(counts, np.int64, len(chunk[0]))
