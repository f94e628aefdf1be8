"""TXT010: lines that hold marks of text that was never made readable."""

import re

from guards.guard import Explanation
from guards.text import flag_rate
from guards.text.measures.mojibake import is_mojibake
from guards.text.measures.width import columns
from ledger.evidence.text import LineSample

CODE = "TXT010"
TITLE = "Unfinished text"
READS = flag_rate.READS
EXPLANATION = Explanation(
    means="A line holds what a reader should never see and its source does not hold either: HTML entities, "
    "UTF-8 decoded as another encoding, U+FFFD, <unk> and other special tokens, language codes, marks of "
    "SentencePiece, BPE and bytes, escapes, prefixes of tools (H-12, line numbers, JSON), quotation marks "
    "or white space around the line, None or nan, a traceback, spaces between all characters, or zero-width "
    "and control characters.",
    matters="The file is not the translation but a step before it: it was not detokenized, not decoded, or "
    "written by another tool's logging. Scores are too low, and a model trained on it learns the marks.",
    do="Decode with skip_special_tokens=True, take the hypothesis column of the tool's output, read and "
    "write UTF-8 everywhere, and unescape HTML once before training and once after it.",
)

_SOURCE_QUOTES = re.compile("[\"'“”„«»「」『』‘’`]")
NOTHING = frozenset({"None", "nan", "NaN", "null", "NULL", "undefined", "N/A", "<NA>"})
TRACEBACK = "Traceback (most recent call last)"

SPACED = re.compile(r"(?:[\u3041-\u30ff\u4e00-\u9fff] ){5,}")

# By kind, in the order in which they are named. All but SPACED hold a match of TRACE.
MARKS: dict[str, re.Pattern[str]] = {
    "HTML entities": re.compile(r"&(?:#\d{1,6}|#[xX][0-9a-fA-F]{1,5}|[a-zA-Z]{2,8}\d?);"),
    "replacement characters (U+FFFD)": re.compile("\ufffd"),
    "special tokens": re.compile(
        r"</?(?:s|unk|pad|mask|bos|eos|sep|cls|S|UNK|PAD|BOS|EOS)>|\[(?:UNK|CLS|SEP|PAD|MASK|BOS|EOS)\]"
        r"|<\|\w+\|>|<extra_id_\d+>|⁇|<2[a-z]{2,3}>|>>\w{2,8}<<|__[a-z]{2,3}__|</w>"
    ),
    "language codes": re.compile(
        r"^\s*(?:[a-z]{2}_(?:[A-Z]{2})|[a-z]{3}_[A-Z][a-z]{3})(?![A-Za-z_])"
        r"|(?<![A-Za-z_])(?:[a-z]{2}_(?:[A-Z]{2})|[a-z]{3}_[A-Z][a-z]{3})\s*$"
    ),
    "byte tokens": re.compile(r"<0x[0-9A-Fa-f]{2}>"),
    "marks of a tokenizer": re.compile(r"▁|\w@@(?:\s|$)|Ġ\w|Ċ|(?:^|\s)##\w|￭"),
    "escapes": re.compile(r"\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\[nrt](?![a-zA-Z])"),
    "control characters": re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]"),
    "zero-width characters": re.compile(r"\ufeff|(?:(?<![\u0e00-\u109f\u1780-\u17ff])[\u200b\u2060].*?){3}"),
    "prefixes of a tool": re.compile(
        r"^[A-Z]-\d+\t|^\d+\t|^\{\".*\}$|^\d\d:\d\d:\d\d[.,]\d{3} -->|^Traceback \(most recent call last\)"
        r"|^[^\t]+\t[^\t]+$"
    ),
    "spaces between all characters": SPACED,
}
# A first character, and what must follow it.
TRACES = {
    "&": "[#a-zA-Z]", "<": "[/|a-zA-Z02]", ">": ">", "[": "[A-Z]", "_": "[_A-Z]", "@": "@", "#": "#",
    "\\": "[uxnrt]", "-": "->", "{": '"',
} | dict.fromkeys("\ufffd⁇▁ĠĊ￭\t\u2028\u2029\u200b\u2060\ufeff", "") | dict.fromkeys(
    map(chr, [*range(9), *range(11, 32), *range(0x7F, 0xA0)]), ""
)  # fmt: skip
TRACE = re.compile("|".join(re.escape(first) + rest for first, rest in TRACES.items()) + "|Traceback")
NUMBERED = re.compile(r"(\d+)[.)]\s+(?=\w)")
QUOTED = re.compile(r"(?:\"[^\"]*\"|'[^']*'|“[^“”]*”|「[^「」]*」|『[^『』]*』)\W?")
QUOTES = "\"'“「『"
PADDED = re.compile(r"^(?: {2,}|\t)|(?: {2,}|\t)$")


def is_flagged(output: str, source: str | None) -> bool:
    """Whether the line has a mark that its source does not have."""
    return kind_of(output, source) is not None


def kind_of(output: str, source: str | None) -> str | None:
    """What the line has that its source does not have: a plural noun, or None."""
    for kind, pattern in MARKS.items() if TRACE.search(output) or SPACED.search(output) else ():
        if any((match[0].strip() or match[0]) not in (source or "") for match in pattern.finditer(output)):
            return kind
    if is_mojibake(output) and not is_mojibake(source or ""):
        return "wrongly decoded characters"
    if is_nothing(output, source):
        return "null values"
    if is_numbered(output, source):
        return "line numbers"
    if source is not None and QUOTED.fullmatch(output) and not _SOURCE_QUOTES.search(source):
        return "quotation marks around the line"
    if source is not None and PADDED.search(output) and not PADDED.search(source):
        return "white space around the line"
    return None


def may_begin(char: str) -> bool:
    """Whether a line that begins with the character may be numbered or quoted."""
    return char.isdecimal() or char in QUOTES


def is_numbered(output: str, source: str | None) -> bool:
    """Whether the line begins with a number that its source does not have."""
    number = NUMBERED.match(output) if source is not None else None
    return number is not None and number[1] not in (source or "")


def is_nothing(output: str, source: str | None) -> bool:
    """Whether the line is a program's word for no value, and the source is longer than a word."""
    return output in NOTHING and (source is None or columns(source) >= 3 * len(output))


def sample_priority(output: str, source: str | None) -> int:  # noqa: ARG001 - one signature for all text rules
    """How useful a line is as a sample: the longest is best."""
    return len(output)


def _kinds(worst: tuple[LineSample, ...]) -> str:
    found = dict.fromkeys(kind_of(sample.output, sample.source) for sample in worst)
    return ", ".join(kind for kind in found if kind)


inspect = flag_rate.inspection(CODE, "hold marks of unfinished text", _kinds)
