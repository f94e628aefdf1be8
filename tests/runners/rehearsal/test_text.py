import os
import subprocess
import sys

import pytest

from ledger.commands.check import inspect_output
from ledger.errors import LedgerError, UsageError
from ledger.evidence.scores import ScoreLimits
from ledger.findings import Verdict
from runners.rehearsal.text import LINES, Triple, digest, is_clean, pairs, rehearsal_text


def test_lines_are_unique_clean_and_enough():
    triples = pairs()
    assert len(triples) > 500
    for column in range(3):
        assert len({triple[column] for triple in triples}) == len(triples)
    assert all(is_clean(triple) for triple in triples)


@pytest.mark.parametrize("seed", ["0", "1"])
def test_the_order_depends_on_nothing(seed: str):
    code = "from runners.rehearsal.text import digest, pairs; print(digest(pairs()))"
    environment = os.environ | {"PYTHONHASHSEED": seed}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == digest(pairs())


def test_fewer_lines_are_the_first_of_all():
    assert pairs(LINES) == pairs()[:LINES]


def test_asking_for_more_than_there_are_is_an_error():
    with pytest.raises(LedgerError, match="clean Korean-Japanese pairs, 100000 are needed"):
        pairs(100_000)


@pytest.mark.parametrize(
    ("ko", "ja", "en", "clean"),
    [
        ("파일 이름 변경", "ファイル名を変更", "Rename File", True),
        ("파일 %1 변경", "ファイル%1を変更", "Rename %1", False),
        ("파일 {0} 변경", "ファイル{0}を変更", "Rename {0}", False),
        ("커널 종료 중", "Kernelを終了中", "Kernel Terminating", False),
        ("커널 종료 중", "核心終了中", "Kernel Terminating", False),  # no kana
        ("다음 찾기 다음", "次を検索次を検索", "Find Next", False),  # repeats itself
        (
            "이전 탭",
            "左のタブをアクティブにする",
            "Activate Previous Tab",
            False,
        ),  # more than 2.5 times as long
        ("탭", "タブ", "Tab", False),  # too short
    ],
)
def test_what_is_clean(ko: str, ja: str, en: str, clean: bool):
    assert is_clean(Triple(ko, ja, en)) is clean


def test_no_reference_sets_off_a_guard():
    triples = pairs()
    report, _, _ = inspect_output(
        [triple.ja for triple in triples],
        source=[triple.ko for triple in triples],
        reference=None,
        language="ja",
        markers=["FAILED_TRANSLATION"],
        max_rate={},
        score_limits=ScoreLimits(),
    )
    assert report.verdict is Verdict.PASS
    assert not report.findings


def test_rehearsal_text_is_in_the_languages_asked_for():
    triples = pairs(LINES)
    assert rehearsal_text("ko", "ja") == ([row.ko for row in triples], [row.ja for row in triples])
    assert rehearsal_text("ko", "en")[1] == [row.en for row in triples]


@pytest.mark.parametrize(("source", "target"), [("de", "ja"), ("ko", "fr"), ("ja", "ko")])
def test_other_languages_are_refused(source: str, target: str):
    with pytest.raises(UsageError, match=f"not for {source} into {target}"):
        rehearsal_text(source, target)
