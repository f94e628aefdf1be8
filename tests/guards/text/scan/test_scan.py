"""One pass over an output: counts, samples, and the same evidence however it was collected."""

import pickle
import random

import pytest

from guards.guard import inspect
from guards.text import GENERATED, GUARDS
from guards.text import scan as scan_module
from guards.text.limits import DEFAULT_MAX_RATE
from guards.text.scan import scan
from ledger.errors import LedgerError
from ledger.evidence import Evidence
from ledger.evidence.text import Flagged, LineSample, TextEvidence, TextLimits
from ledger.findings import Severity, Verdict

MARKER = "FAILED_TRANSLATION_CLEANED"
BAD = [
    ("I I I I…", "버틸 수 있는 것 같아요"),
    ("jajaja…", "더 가까이 가야한다면"),
    ("♪" * 100, "너도 구해야지"),
    (". . . . .", "왜 여기 있었죠?"),
    (MARKER, "진실 서약을 했으니 지켜야 합니다"),
    (",,,", "메탈 좋아해?"),
    ("", "의뢰를 수행하게"),
    ("?I'm about to do it.", "막 하려던 참이었어요"),
]
GOOD = [("なぜここにいる?", "왜 여기 있었죠?")] * 10
LIMITS = Evidence(TextLimits(DEFAULT_MAX_RATE))
CODES = {*DEFAULT_MAX_RATE} - {guard.CODE for guard in GENERATED}  # what any text is checked for


def scan_pairs(pairs: list[tuple[str, str]], **options: int) -> TextEvidence:
    outputs, sources = [list(side) for side in zip(*pairs, strict=True)]
    return scan(outputs, source=sources, language="ja", markers=[MARKER], **options)


def test_each_bad_line_is_flagged_under_its_code_and_no_good_one() -> None:
    evidence = scan_pairs(BAD + GOOD)
    numbers = {code: [s.number for s in flagged.worst] for code, flagged in evidence.flagged.items()}
    assert {code: sorted(found) for code, found in numbers.items() if found} == {
        "TXT001": [1, 2, 3],
        "TXT002": [4, 6],
        "TXT003": [8],
        "TXT004": [8],
        "TXT005": [5],
        "TXT006": [7],
    }
    report = inspect(GUARDS, LIMITS, Evidence(evidence))
    passed = {code for code, found in numbers.items() if not found}
    assert report.verdict is Verdict.FAIL
    # TXT003: one line in 18 is 5.6%, below the 8% that human software text comes near to.
    assert {f.code for f in report.findings if f.severity is Severity.ERROR} == {*numbers} - {
        "TXT003",
        *passed,
    }


def test_a_good_text_passes_every_guard() -> None:
    report = inspect(GUARDS, LIMITS, Evidence(scan_pairs(GOOD)))
    assert (report.findings, [skip.code for skip in report.skips]) == ((), ["TXT015"])
    assert {*report.passed, "TXT015"} == CODES


def test_the_worst_lines_are_the_most_telling_and_different_first() -> None:
    loops = ["あの" * 20, "あの" * 30, "あの" * 30, "そう" * 25]
    evidence = scan_pairs([(loop, "왜 여기 있었죠?") for loop in loops])
    assert [sample.number for sample in evidence.flagged["TXT001"].worst] == [2, 4, 1, 3]


def test_samples_are_cut_and_limited() -> None:
    evidence = scan_pairs([("♪" * 1000, "너도 구해야지" * 100)] * 9, samples=2)
    flagged = evidence.flagged["TXT001"]
    assert flagged.count == 9
    assert [sample.number for sample in flagged.worst] == [1, 2]
    sample = flagged.worst[0]
    assert sample.source is not None
    assert (len(sample.output), len(sample.source), sample.output[-1]) == (200, 200, "…")


def test_source_and_output_must_match_line_for_line() -> None:
    with pytest.raises(LedgerError, match="the output has 2 lines and the source 1"):
        scan(["a", "b"], source=["a"], language="ja", markers=[])


def test_an_output_without_lines_is_a_skip() -> None:
    report = inspect(GUARDS, LIMITS, Evidence(scan([], source=[], language="ja", markers=[MARKER])))
    assert {skip.code for skip in report.skips} == CODES
    assert report.passed == ()


def test_chunks_and_processes_change_nothing(
    real_pairs: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(3)
    pairs = [dice.choice(BAD) if dice.random() < 0.1 else pair for pair in real_pairs]
    plainly = scan_pairs(pairs, processes=1)
    monkeypatch.setattr(scan_module, "FAST_FROM_LINES", 0)
    monkeypatch.setattr(scan_module, "CHUNK_LINES", 500)
    assert scan_pairs(pairs, processes=1) == plainly
    monkeypatch.setattr(scan_module, "PARALLEL_FROM_LINES", 0)
    assert scan_pairs(pairs, processes=2) == plainly


def test_human_translations_of_software_stay_below_every_limit(real_pairs: list[tuple[str, str]]) -> None:
    report = inspect(GUARDS, LIMITS, Evidence(scan_pairs(real_pairs)))
    assert report.verdict is Verdict.PASS


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.CODE)
def test_a_rate_fails_above_its_limit_and_is_noted_below(guard) -> None:  # type: ignore[no-untyped-def]
    worst = (LineSample(7, "出力", "원문"),)
    evidence = TextEvidence(1000, {guard.CODE: Flagged(3, worst)})
    (above,) = guard.inspect(TextLimits({guard.CODE: 0.002}), evidence)
    (below,) = guard.inspect(TextLimits({guard.CODE: 0.003}), evidence)
    assert (above.severity, below.severity) == (Severity.ERROR, Severity.INFO)
    assert (above.measured, above.threshold) == (0.003, 0.002)
    assert above.evidence == {
        "count": 3,
        "lines": 1000,
        "worst": [{"number": 7, "output": "出力", "source": "원문"}],
    }
    assert above.message.startswith("3 of 1,000 lines ")


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.CODE)
def test_a_rule_that_was_not_applied_is_a_skip(guard) -> None:  # type: ignore[no-untyped-def]
    evidence = TextEvidence(1000, {}, {guard.CODE: "no source text was given"})
    (skip,) = guard.inspect(TextLimits({}), evidence)
    assert (skip.code, skip.reason) == (guard.CODE, "no source text was given")


def test_a_text_can_be_sent_to_a_spawned_process() -> None:
    rules = scan_module.rules_for(has_source=True, language="ja", markers=[MARKER])
    outputs, sources = [list(side) for side in zip(*BAD, strict=True)]
    text = scan_module.ScannedText(outputs, sources, rules, samples=5)
    sent = pickle.loads(pickle.dumps(text))
    assert scan_module._tally(sent, range(len(BAD))) == scan_module._tally(text, range(len(BAD)))
