import json
import math
import subprocess
import sys
import unicodedata
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import LedgerError
from ledger.evaluation import line_statistics
from ledger.evaluation.line_statistics import LineStatistics
from ledger.evaluation.sacrebleu_metrics import tokenizer_for
from ledger.evaluation.scoring import score

JAPANESE = ["設定を保存しました。", "ファイルを開けません。", "新しいウィンドウを開く"]
WORSE = ["設定を保存した。", "ファイルが見つかりません。", "ウィンドウを閉じる"]


@pytest.mark.parametrize(
    ("language", "tokenizer"),
    [
        ("ja", "ja-mecab"),
        ("ja_XX", "ja-mecab"),
        ("jpn_Jpan", "ja-mecab"),
        ("ko", "ko-mecab"),
        ("ko_KR", "ko-mecab"),
        ("zh_CN", "zh"),
        ("zho_Hans", "zh"),
        ("yue_Hant", "zh"),
        ("th", "char"),
        ("khm_Khmr", "char"),
        ("my_MM", "char"),
        ("en", "13a"),
        ("de_DE", "13a"),
        ("jav_Latn", "13a"),
        ("kok_Deva", "13a"),
    ],
)
def test_tokenizer_follows_the_language(language, tokenizer):
    assert tokenizer_for(language) == tokenizer


def test_a_perfect_output_scores_100():
    scores = score(JAPANESE, JAPANESE, "ja")
    assert scores.bleu.value == 100
    assert scores.chrf.value == 100
    assert scores.brevity_penalty == 1.0
    assert scores.output_tokens == scores.reference_tokens > len(JAPANESE)
    assert scores.lines == 3


FORMS = st.text("aé ｶﾞガ。２2", max_size=6)


@given(st.lists(st.tuples(FORMS, FORMS), min_size=1))
def test_rewritten_lines_score_as_if_all_had_been_extracted(lines):
    normalize = partial(unicodedata.normalize, "NFKC")
    output, reference = zip(*lines, strict=True)
    found = LineStatistics.extract(output, [reference], "ja").rewritten(
        output, [reference], normalize, "norm"
    )
    again = LineStatistics.extract([*map(normalize, output)], [[*map(normalize, reference)]], "ja")
    assert [one.value for one in found.metrics()] == [one.value for one in again.metrics()]
    assert found.signatures == tuple(f"{one}|norm" for one in again.signatures)


def test_signatures_are_those_of_the_sacrebleu_command(tmp_path):
    """The same numbers and the same signatures as `sacrebleu` prints."""
    (tmp_path / "out").write_text("\n".join(WORSE) + "\n", encoding="utf-8")
    (tmp_path / "ref").write_text("\n".join(JAPANESE) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "sacrebleu", "ref", "-i", "out", "-m", "bleu", "chrf"]
    command += ["-tok", "ja-mecab", "--chrf-word-order", "2", "-w", "6"]
    shown = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    scores = score(WORSE, JAPANESE, "ja")
    for row, metric in zip(json.loads(shown), (scores.bleu, scores.chrf), strict=True):
        assert metric.value == pytest.approx(row["score"], abs=1e-5)
        assert metric.signature == f"{row['name']}|{row['signature']}"


def test_half_the_tokens_is_the_brevity_penalty_of_the_formula():
    reference = [f"word{n} and word{n + 1} meet here" for n in range(40)]
    output = [" ".join(line.split()[:3]) for line in reference]
    scores = score(output, reference, "en")
    ratio = scores.output_tokens / scores.reference_tokens
    assert ratio == pytest.approx(0.6)
    assert scores.brevity_penalty == pytest.approx(math.exp(1 - 1 / ratio))


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), min_size=1, max_size=5))
def test_scores_stay_on_their_scale_whatever_the_text(pairs):
    scores = score([a for a, _ in pairs], [b for _, b in pairs], "ja")
    for metric in (scores.bleu, scores.chrf):
        low, high = metric.scale
        assert low <= metric.value <= high
    assert 0 <= scores.brevity_penalty <= 1


def test_different_lengths_are_told_with_both_counts():
    with pytest.raises(LedgerError, match=r"3 lines and the reference 2"):
        score(JAPANESE, JAPANESE[:2], "ja")


def test_nothing_to_score_is_told():
    with pytest.raises(LedgerError, match="no lines"):
        score([], [], "ja")


def test_broken_output_leaves_stderr_alone(capfd):
    score([". . . . ."] * 200, JAPANESE[:1] * 200, "ja")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("module", "language"), [("MeCab", "ja"), ("mecab_ko", "ko"), ("sacrebleu", "en")])
def test_a_missing_package_is_told_with_what_to_install(module, language):
    program = f"""
import sys
sys.modules[{module!r}] = None  # as Python marks a package that cannot be imported
from ledger.errors import LedgerError
from ledger.evaluation.scoring import score
try:
    score(["a"], ["a"], {language!r})
except LedgerError as error:
    print(error)
"""
    shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert "is not installed" in shown
    assert "pip install 'experiment-ledger" in shown


def test_scoring_again_and_again_takes_no_more_memory():
    program = f"""
from pathlib import Path
from ledger.evaluation.scoring import score

def resident_mib():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

score({JAPANESE!r}, {WORSE!r}, "ja")
before = resident_mib()
for _ in range(20):
    score({JAPANESE!r}, {WORSE!r}, "ja")
print(resident_mib() - before)
"""
    shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert float(shown) < 20, "MiB over 20 scores; a tagger alone takes 26"


def test_thai_scores_against_itself():
    lines = ["แมวอยู่ใกล้ทะเลสาบ", "รถไฟมาสายวันนี้"] * 10
    scores = score(lines, lines, "tha_Thai")
    assert scores.bleu.value == pytest.approx(100)
    assert "tok:char" in scores.bleu.signature


@pytest.mark.parametrize("parallel_from", [0, 10**9])
def test_many_chunks_score_as_one(monkeypatch, parallel_from):
    output, reference = WORSE * 30, JAPANESE * 30
    whole = score(output, reference, "ja", output[::-1])
    monkeypatch.setattr(line_statistics, "CHUNK_LINES", 40)
    monkeypatch.setattr(line_statistics, "PARALLEL_FROM_LINES", parallel_from)
    assert score(output, reference, "ja", output[::-1]) == whole
    assert "nrefs:2" in whole.bleu.signature
