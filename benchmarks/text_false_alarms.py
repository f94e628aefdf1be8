"""How many lines of human translations each text rule flags, by language.

    python benchmarks/text_false_alarms.py FOLDER... [--tsv FILE] [--worst CODE]

Each FOLDER is searched for compiled gettext catalogs (`LANGUAGE/LC_MESSAGES/*.mo`), as Django, Weblate and
the JupyterLab language packs install them: the message in English is the source, its translation the output.
A TSV has columns ko, ja and en (gzipped or not) and is read in all directions. Messages of fewer than three
words are left out: names and buttons are not sentences.
"""

import argparse
import csv
import gzip
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from babel.messages.mofile import read_mo

from guards.text import GUARDS
from guards.text.limits import DEFAULT_MAX_RATE
from guards.text.measures.chunk import Chunk
from guards.text.scan import scan_lines

MIN_WORDS = 3
FILE_LINES = 500
MARKERS = ("FAILED_TRANSLATION_CLEANED",)


@dataclass(frozen=True)
class Text:
    """A human translation: its language, the lines, and where they are from."""

    language: str
    origin: str
    sources: list[str]
    outputs: list[str]


def main() -> int:
    options = parse_options()
    texts = [text for folder in options.folders for text in catalogs(folder)]
    texts += [text for path in options.tsv for text in both_directions(path)]
    flagged: dict[str, Counter[str]] = defaultdict(Counter)
    lines: Counter[str] = Counter()
    failing = []
    for text in texts:
        found = scan_lines(
            Chunk(text.outputs, text.sources),
            language=text.language,
            markers=MARKERS,
            samples=options.samples,
            processes=1,
        )
        lines[text.language] += len(text.outputs)
        for code, indices in found.lines.items():
            flagged[code][text.language] += len(indices)
            failing += failures(code, indices, text)
        if options.worst in found.lines:
            for sample in found.evidence.flagged[options.worst].worst:
                print(text.language, text.origin, sample.source, sample.output, sep=" | ")
    print_table(flagged, lines, texts)
    for failure in failing:
        print("fails:", failure)
    return 0


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--tsv", type=Path, action="append", default=[])
    parser.add_argument("--worst", help="print the lines that this code flags")
    parser.add_argument("--samples", type=int, default=5)
    return parser.parse_args()


def failures(code: str, indices: Sequence[int], text: Text) -> Iterator[str]:
    """The parts of 500 lines in which the code flags more than its limit; a smaller text counts as one."""
    counts = Counter(index // FILE_LINES for index in indices)
    for part, count in counts.items():
        size = min(FILE_LINES, len(text.outputs) - part * FILE_LINES)
        if (size == FILE_LINES or part == 0) and count > DEFAULT_MAX_RATE[code] * size:
            yield f"{text.language} {text.origin} from {part * FILE_LINES}: {code} {count} of {size}"


def print_table(flagged: dict[str, Counter[str]], lines: Counter[str], texts: list[Text]) -> None:
    codes = [guard.CODE for guard in GUARDS]
    print(f"{len(texts)} texts, {lines.total():,} lines, {len(lines)} languages")
    for code in codes:
        total = sum(lines[language] for language in flagged[code])
        worst = sorted(flagged[code], key=lambda x: -flagged[code][x] / lines[x])[:6]
        print(
            f"{code} {flagged[code].total():6} of {total:8,} {flagged[code].total() / max(total, 1):8.3%}   ",
            ", ".join(
                f"{x} {flagged[code][x] / lines[x]:.2%} of {lines[x]}" for x in worst if flagged[code][x]
            ),
        )


def catalogs(folder: Path) -> Iterator[Text]:
    messages: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for path in sorted(folder.rglob("LC_MESSAGES/*.mo")):
        language = path.parent.parent.name
        with path.open("rb") as file:
            for message in read_mo(file):
                if isinstance(message.id, str) and isinstance(message.string, str) and message.string:
                    messages[language, path.relative_to(folder).parts[0]][one_line(message.id)] = one_line(
                        message.string
                    )
    for (language, origin), pairs in messages.items():
        chosen = {source: output for source, output in pairs.items() if len(source.split()) >= MIN_WORDS}
        if chosen and not language.startswith("en"):
            yield Text(language, origin, [*chosen], [*chosen.values()])


def one_line(text: str) -> str:
    return " ".join(text.split())


def both_directions(path: Path) -> Iterator[Text]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="\n") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    for source, target in (
        ("ko", "ja"),
        ("ja", "ko"),
        ("en", "ja"),
        ("en", "ko"),
        ("ko", "en"),
        ("ja", "en"),
    ):
        pairs = [(row[source], row[target]) for row in rows if row[source] and row[target]]
        yield Text(target, f"{path.name} from {source}", [a for a, _ in pairs], [b for _, b in pairs])


if __name__ == "__main__":
    sys.exit(main())
