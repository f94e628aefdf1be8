"""The fast path gives the plain rules' findings: on generated lines, on real ones, on spoilt real ones."""

import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guards.text import repetition
from guards.text.measures.chunk import Chunk
from guards.text.scan.loops import LEAST_COMPRESSED, with_cubes
from guards.text.scan.prefilter import flagged
from guards.text.scan.rules import Rules, flagged_plainly, rules_for
from guards.text.scan.view import View

MARKERS = ["FAILED_TRANSLATION_CLEANED", "[空]"]
LANGUAGES = ("ja", "ko_KR", "zho_Hans", "ru", "en_XX", None)

PIECES = st.one_of(
    st.text(st.characters(blacklist_categories=["Cs"]), max_size=6),
    st.text("ab I.♪ はハ漢가。0", min_size=1, max_size=5),
    st.sampled_from(["ja", "I ", "  ", "close ", "\u3000", "\t", "LibreOffice", "です。", *MARKERS]),
)
REPEATED_PIECES = st.builds(lambda piece, times: piece * times, PIECES, st.integers(1, 12))
LINES = st.lists(REPEATED_PIECES, max_size=5).map("".join)


def rules(language: str | None, *, has_source: bool = True) -> Rules:
    return rules_for(has_source=has_source, language=language, markers=MARKERS)


def fast(chunk: Chunk, bound: Rules) -> dict[str, list[int]]:
    return flagged(View.of(chunk, bound))


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(LINES, LINES), min_size=1, max_size=8), st.sampled_from(LANGUAGES))
def test_the_findings_are_the_plain_rules_own(pairs: list[tuple[str, str]], language: str | None) -> None:
    outputs, sources = [list(side) for side in zip(*pairs, strict=True)]
    for chunk in (Chunk(outputs, sources), Chunk(outputs, None)):
        bound = rules(language, has_source=chunk.sources is not None)
        assert fast(chunk, bound) == flagged_plainly(chunk, bound)


@pytest.mark.parametrize("language", ["ja", "ko", "en"])
def test_the_findings_on_real_lines_are_the_same(real_pairs: list[tuple[str, str]], language: str) -> None:
    japanese, korean = [list(side) for side in zip(*real_pairs, strict=True)]
    for chunk in (Chunk(japanese, korean), Chunk(korean, japanese), Chunk(japanese, None)):
        bound = rules(language, has_source=chunk.sources is not None)
        assert fast(chunk, bound) == flagged_plainly(chunk, bound)


def test_the_findings_on_spoilt_real_lines_are_the_same(real_pairs: list[tuple[str, str]]) -> None:
    dice = random.Random(7)
    spoilt = [_spoil(japanese, dice) for japanese, _ in real_pairs]
    chunk = Chunk(spoilt, [korean for _, korean in real_pairs])
    plain = flagged_plainly(chunk, rules("ja"))
    assert len(plain["TXT001"]) > 500
    assert fast(chunk, rules("ja")) == plain


def _spoil(line: str, dice: random.Random) -> str:
    start = dice.randrange(len(line) + 1)
    stop = dice.randrange(start, len(line) + 1)
    space = " " * dice.choice((0, 0, 1, 2))
    return line[:start] + (line[start:stop] + space) * dice.choice((1, 2, 3, 4, 9)) + line[stop:]


@given(st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=101), st.integers(0, 3))
def test_three_copies_are_always_a_candidate(unit: str, spaces: int) -> None:
    line = "x" + (" " * spaces).join([unit] * 3)
    if repetition.is_flagged(line, None) and not repetition.shrinks(line):
        assert 1 in with_cubes(View.of(Chunk(["good", line, "good"], None), rules("ja")))


@settings(deadline=None)
@given(st.one_of(LINES.map(str.encode), st.binary(max_size=400)), st.integers(0, 9))
def test_no_zlib_stream_is_smaller_than_the_bound(data: bytes, level: int) -> None:
    assert len(zlib.compress(data, level)) >= LEAST_COMPRESSED[len(set(data))]


@pytest.mark.parametrize("times", [10, 100, 10_000])
def test_the_bound_holds_where_compression_is_best(times: int) -> None:
    for distinct in range(1, 257):
        data = bytes(range(distinct)) * times
        assert len(zlib.compress(data, 9)) >= LEAST_COMPRESSED[distinct]
