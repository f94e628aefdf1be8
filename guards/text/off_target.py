"""TXT004: lines in another script than the target language's."""

import re

from guards.guard import Explanation
from guards.text import flag_rate
from guards.text.measures.chunk import Chunk
from guards.text.measures.scripts import Script
from guards.text.measures.words import without_names

CODE = "TXT004"
TITLE = "Off-target"
READS = flag_rate.READS
EXPLANATION = Explanation(
    means="Less than half of a line's letters belong to the script of the target language, not counting "
    "placeholders, tags, URLs and identifiers, and Latin words that are also in the source; or a Japanese "
    "line of ten or more letters has no kana, or hardly any line of the output has. If the source is in "
    "Latin letters, only words with a capital are left out of the count. All of Unicode's scripts are "
    "known; of a language with several, such as Serbian, it is the one that most of the output is in. "
    "Languages that share a script cannot be distinguished.",
    matters="The model answers in another language. A wrong language code causes this without any error: "
    "one such run gave 74.7% English instead of Japanese.",
    do="Compare the source and target codes with the tokenizer's (mBART: ko_KR and ja_XX, NLLB: kor_Hang "
    "and jpn_Jpan) and that the target is forced: forced_bos_token_id, decoder_start_token_id, or a prefix.",
)

MIN_SHARE = 0.5
KANA_EXPECTED_FROM = 10
IDEOGRAPH = re.compile("[\u4e00-\u9fff]")
# In human Japanese of short labels, a half of the lines with ideographs has kana too.
MIN_LINES = 20
MIN_SHARE_WITHOUT_KANA = 0.95
KANA = frozenset(map(chr, [*range(0x3041, 0x3097), *range(0x30A1, 0x30FB), *range(0xFF66, 0xFFA0)]))


def is_flagged(output: str, source: str | None, script: Script) -> bool:
    """Whether the line is mostly in another script. Without a source every word counts."""
    counted = output if script.is_latin else without_names(output, source)
    others = script.letter.sub("", counted)
    own = len(counted) - len(others)
    letters = own + sum(map(str.isalpha, others))
    if own < MIN_SHARE * letters:
        return True
    return script.needs_kana and letters >= KANA_EXPECTED_FROM and KANA.isdisjoint(counted)


def lines_without_kana(text: Chunk) -> list[int]:
    """The lines of Chinese characters in a Japanese text that has hardly any kana."""
    ideographs, without = 0, []
    enough = (1 - MIN_SHARE_WITHOUT_KANA) * len(text.outputs)
    for line, output in enumerate(text.outputs):
        if IDEOGRAPH.search(output):
            ideographs += 1
            if KANA.isdisjoint(output):
                without.append(line)
            elif ideographs - len(without) > enough:
                return []  # whatever follows
    few = ideographs < MIN_LINES or len(without) < MIN_SHARE_WITHOUT_KANA * ideographs
    return [] if few else without


def sample_priority(output: str, source: str | None) -> int:  # noqa: ARG001 - one signature for all text rules
    """How useful a line is as a sample: the one with the most letters is best."""
    return sum(map(str.isalpha, output))


inspect = flag_rate.inspection(CODE, "are not in the target language's script")
