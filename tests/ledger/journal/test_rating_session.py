"""Judgements that are kept as they are given."""

import pytest

from ledger.errors import LedgerError
from ledger.journal.rating_session import JudgementFile, draw


def test_the_same_run_draws_the_same_lines_and_another_one_others():
    drawn = draw("exp5-41cd0e", of=1000, lines=50)
    assert drawn == draw("exp5-41cd0e", of=1000, lines=50)
    assert drawn != draw("exp5-17e594", of=1000, lines=50)
    assert len(set(drawn)) == 50
    assert all(1 <= line <= 1000 for line in drawn)


def test_a_small_output_is_judged_whole():
    assert sorted(draw("exp5-41cd0e", of=3, lines=50)) == [1, 2, 3]


def test_the_last_answer_counts_and_can_be_taken_back(tmp_path):
    sheet = JudgementFile(tmp_path / "ratings" / "exp5.jsonl")
    assert sheet.judged() == {}
    for line, judgement in ((7, "right"), (9, "wrong"), (7, "partly"), (9, None)):
        sheet.judge(line, judgement)
    assert sheet.judged() == {7: "partly"}
    sheet.close()
    assert sheet.judged() == {}


def test_an_answer_that_was_cut_by_a_kill_is_asked_again(tmp_path):
    sheet = JudgementFile(tmp_path / "exp5.jsonl")
    sheet.judge(7, "right")
    with sheet.path.open("ab") as file:
        file.write(b'[9,"wro')
    assert sheet.judged() == {7: "right"}


@pytest.mark.parametrize("content", [b"nothing of ours\n", b'[7,"splendid"]\n', b'["a","right"]\n', b"[1]\n"])
def test_a_foreign_file_is_refused(tmp_path, content):
    sheet = JudgementFile(tmp_path / "exp5.jsonl")
    sheet.path.write_bytes(content)
    with pytest.raises(LedgerError, match="does not hold judgements"):
        sheet.judged()
