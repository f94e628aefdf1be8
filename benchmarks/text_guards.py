"""Lines per second of the text guards, compared with two single checks in plain Python on the same lines.

    python benchmarks/text_guards.py [--corpus FILE] [--lines N]

The corpus is plain text (without a source) or a tab-separated file with columns `ja` and `ko`, gzipped or
not. The default is the text of the installed JupyterLab language packs and Babel's CLDR names: a few
thousand real lines. A corpus smaller than --lines is repeated, with a number before each repeated line, so
that no line occurs twice.
"""

import argparse
import csv
import gzip
import os
import re
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter

from babel import Locale
from babel.messages.mofile import read_mo

from guards.text.measures.chunk import Chunk
from guards.text.scan import prefilter, scan
from guards.text.scan.rules import flagged_plainly, rules_for
from guards.text.scan.view import View
from ledger.utils.textfiles import read_lines

# OpusFilter's RepetitionFilter, as one of its users would write it.
OPUSFILTER = re.compile(r"(\S.{2,100}?)(?: *\1){2,}")
MARKERS = ("FAILED_TRANSLATION_CLEANED",)
LANGUAGE = "ja"
CHECKED_LINES = 20_000


@dataclass(frozen=True)
class Corpus:
    """Japanese lines as output, and their Korean source if there is one."""

    outputs: list[str]
    sources: list[str] | None
    origin: str


@dataclass(frozen=True)
class Time:
    """Wall seconds, and CPU seconds including those of child processes."""

    wall: float
    cpu: float


def main() -> int:
    options = parse_options()
    real = read_corpus(options.corpus) if options.corpus else installed_text()
    corpus = grow(real, options.lines)
    check_same_findings(corpus)
    print(f"{len(corpus.outputs):,} lines, from {len(real.outputs):,} real ones: {real.origin}")
    print(f"{sum(map(len, corpus.outputs)) / len(corpus.outputs):.1f} characters a line\n")

    rivals: dict[str, Callable[[Sequence[str]], object]] = {
        "OpusFilter's pattern alone, plain Python": lambda lines: [OPUSFILTER.search(line) for line in lines],
        "zlib ratio alone, plain Python": lambda lines: [shrinks(line) for line in lines],
        "all text guards, one process": lambda lines: scan_all(lines, corpus, processes=1),
        "all text guards": lambda lines: scan_all(lines, corpus, processes=None),
    }
    times = {name: time_of(check, corpus.outputs) for name, check in rivals.items()}
    ours = times["all text guards"]
    for name, time in times.items():
        rate, cpu = len(corpus.outputs) / time.wall, 1e6 * time.cpu / len(corpus.outputs)
        print(f"{name:42}{rate:10,.0f} lines/s {cpu:7.1f} µs CPU/line   guards: x{time.wall / ours.wall:.1f}")
    print(f"\nload when done: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    return 0


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpus", type=Path, help="plain text, or TSV with columns ja and ko; .gz is read")
    parser.add_argument("--lines", type=int, default=1_000_000)
    return parser.parse_args()


def scan_all(lines: Sequence[str], corpus: Corpus, processes: int | None) -> object:
    return scan(lines, source=corpus.sources, language=LANGUAGE, markers=MARKERS, processes=processes)


def shrinks(line: str) -> bool:
    data = line.encode()
    return len(data) > 2.4 * len(zlib.compress(data))


def time_of(check: Callable[[Sequence[str]], object], lines: Sequence[str]) -> Time:
    wall, before = perf_counter(), os.times()
    check(lines)
    after = os.times()
    return Time(perf_counter() - wall, sum(after[:4]) - sum(before[:4]))


def check_same_findings(corpus: Corpus) -> None:
    """Exit unless the fast path flags exactly what the plain rules do, on lines spread over the corpus."""
    step = max(1, len(corpus.outputs) // CHECKED_LINES)
    sample = Chunk(corpus.outputs[::step], None if corpus.sources is None else corpus.sources[::step])
    rules = rules_for(has_source=sample.sources is not None, language=LANGUAGE, markers=MARKERS)
    plain = flagged_plainly(sample, rules)
    if prefilter.flagged(View.of(sample, rules)) != plain:
        sys.exit("the fast path and the plain rules disagree")
    counts = ", ".join(f"{code} {len(found)}" for code, found in sorted(plain.items()))
    print(f"same findings as the plain rules on {len(sample.outputs):,} lines ({counts})")


# --- text -----------------------------------------------------------------------------------------------


def grow(corpus: Corpus, lines: int) -> Corpus:
    total = len(corpus.outputs)
    if lines <= total:
        return Corpus(corpus.outputs[:lines], corpus.sources and corpus.sources[:lines], corpus.origin)
    return Corpus(
        list(islice(rounds(corpus.outputs), lines)),
        corpus.sources and list(islice(rounds(corpus.sources), lines)),
        corpus.origin,
    )


def rounds(lines: list[str]) -> Iterator[str]:
    """The lines repeated without end: first as they are, then numbered by round."""
    yield from lines
    for count, line in enumerate(cycle(lines), len(lines)):
        yield f"{count // len(lines)}. {line}"


def read_corpus(path: Path) -> Corpus:
    if not {".tsv", ".gz"} & set(path.suffixes):
        return Corpus(read_lines(path), None, str(path))
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="\n") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return Corpus([row["ja"] for row in rows], [row["ko"] for row in rows], path.name)


def installed_text() -> Corpus:
    japanese, korean = catalogues("ja_JP"), catalogues("ko_KR")
    pairs = [(japanese[key], korean[key]) for key in sorted(japanese.keys() & korean.keys())]
    for table in ("languages", "territories", "scripts", "currencies"):
        ja, ko = getattr(Locale("ja"), table), getattr(Locale("ko"), table)
        pairs += [(ja[key], ko[key]) for key in sorted(ja.keys() & ko.keys())]
    return Corpus([ja for ja, _ in pairs], [ko for _, ko in pairs], "JupyterLab language packs, CLDR names")


def catalogues(locale: str) -> dict[str, str]:
    folder = files(f"jupyterlab_language_pack_{locale}") / "locale" / locale / "LC_MESSAGES"
    messages: dict[str, str] = {}
    for entry in folder.iterdir():
        if entry.name.endswith(".mo"):
            with entry.open("rb") as file:
                found = read_mo(file)
            messages |= {
                m.id: " ".join(m.string.split("\n")) for m in found if m.id and isinstance(m.id, str)
            }
    return messages


if __name__ == "__main__":
    sys.exit(main())
