"""A large file gives the lines that reading it whole gives."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import LedgerError
from ledger.utils import line_file
from ledger.utils.line_file import LineFile, open_lines
from ledger.utils.textfiles import read_lines

TEXTS = st.lists(
    st.sampled_from(["", "a", "é猫", "\r", "\n", "\r\n", "\ufeff", "\u2028", "x" * 9]), min_size=1
)


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    monkeypatch.setattr(line_file, "BLOCK", 5)
    monkeypatch.setattr(line_file, "LARGE", 1)


@given(TEXTS.map("".join).filter(lambda text: text.lstrip("\ufeff")), st.slices(12))
def test_the_lines_are_the_same(tmp_path_factory, text, part):
    path = tmp_path_factory.getbasetemp() / "lines.txt"
    path.write_bytes(text.encode())
    lines, expected = LineFile(path), read_lines(path)
    assert [*lines] == expected
    assert [lines[i] for i in range(len(lines))] == expected
    assert lines[part] == expected[part]
    assert lines[-1] == expected[-1]
    with pytest.raises(IndexError):
        lines[len(lines)]


def test_it_is_opened_by_size_and_can_be_sent_to_a_process(tmp_path, monkeypatch):
    path = tmp_path / "lines.txt"
    path.write_text("one\ntwo\n")
    lines = open_lines(path)
    assert isinstance(lines, LineFile)
    assert [*pickle.loads(pickle.dumps(lines))] == ["one", "two"]
    monkeypatch.setattr(line_file, "LARGE", 100)
    assert open_lines(path) == ["one", "two"]


def test_what_is_not_utf8_is_named_as_in_a_small_file(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_bytes(b"fine lines\n" * 3 + b"\xff\n")
    with pytest.raises(LedgerError, match="line 4, byte 33"):
        open_lines(path)
