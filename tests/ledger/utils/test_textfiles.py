"""Reading line-aligned text strictly, writing it whole or not at all."""

import os
import resource
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import Exit, LedgerError
from ledger.utils.textfiles import read_lines, write_lines_atomically

KOREAN = (
    "막 하려던 참이었어요\n왜 여기 있었죠?\n메탈 좋아해?\n의뢰를 수행하게\n저기 있죠, 저도 당신 같았어요\n"
)
JAPANESE = "新しい名前を入力して OK をクリックします。\nなぜここにいる?\n私の願いは...\n依頼をします。\n"


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"one\ntwo\n", ["one", "two"]),
        (b"one\ntwo", ["one", "two"]),
        (b"one\r\ntwo\r\n", ["one", "two"]),
        (b"\xef\xbb\xbfone\n", ["one"]),
        (b"one\n\nthree\n", ["one", "", "three"]),
        (b"one\n\n", ["one", ""]),
        (b"\n", [""]),
        ("a\u2028b\x0cc\x85d\x1ce\rf\n".encode(), ["a\u2028b\x0cc\x85d\x1ce\rf"]),
        (b"only spaces \n", ["only spaces "]),
    ],
)
def test_a_line_ends_at_a_line_feed_and_nowhere_else(tmp_path: Path, data: bytes, lines: list[str]) -> None:
    file = tmp_path / "text"
    file.write_bytes(data)
    assert read_lines(file) == lines


@pytest.mark.parametrize(
    ("text", "encoding", "told"),
    [
        (KOREAN, "cp949", "CP949"),
        (KOREAN, "euc_kr", "CP949"),
        (JAPANESE, "shift_jis", "SHIFT_JIS"),
        (JAPANESE, "euc_jp", "EUC-JP"),
        (JAPANESE, "utf_16", "UTF-16"),
    ],
)
def test_another_encoding_is_guessed_and_the_hint_converts_it(
    tmp_path: Path, text: str, encoding: str, told: str
) -> None:
    file = tmp_path / "train sample.ko"
    file.write_bytes(text.encode(encoding))
    with pytest.raises(LedgerError, match="is not UTF-8: line 1, byte") as caught:
        read_lines(file)
    assert caught.value.exit_code == Exit.NOT_DONE
    assert told in caught.value.hint
    command = caught.value.hint.split("convert it: ")[1]
    subprocess.run(command, shell=True, check=True)
    assert read_lines(f"{file}.utf8") == text.splitlines()


def test_the_first_bad_byte_is_located(tmp_path: Path) -> None:
    file = tmp_path / "text"
    file.write_bytes("좋아\n".encode() + b"ab\xff\n")
    with pytest.raises(LedgerError, match=r"line 2, byte 9 of the file \(0xff\)"):
        read_lines(file)


def test_the_byte_order_mark_counts_in_the_position(tmp_path: Path) -> None:
    file = tmp_path / "text"
    file.write_bytes(b"\xef\xbb\xbfab\xff\n")
    with pytest.raises(LedgerError, match=r"line 1, byte 5 of the file \(0xff\)"):
        read_lines(file)


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "text"
    file.write_bytes(content)
    with pytest.raises(LedgerError, match="is empty"):
        read_lines(file)


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="file not found"):
        read_lines(tmp_path / "missing")
    with pytest.raises(LedgerError, match="is a folder"):
        read_lines(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "text"
    file.write_text("line\n")
    file.chmod(0)
    with pytest.raises(LedgerError, match="no permission to read"):
        read_lines(file)


@given(st.lists(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\n\r")), min_size=1))
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    file = tmp_path_factory.mktemp("round") / "text"
    write_lines_atomically(file, lines)
    # The one mark that is dropped on reading is a byte order mark in front of the first line.
    assert read_lines(file) == [lines[0].removeprefix("\ufeff"), *lines[1:]]


def test_writing_replaces_the_file_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "text"
    file.write_text("old\n")
    write_lines_atomically(file, ["new", ""])
    assert file.read_bytes() == b"new\n\n"
    assert list(tmp_path.iterdir()) == [file]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(file.stat().st_mode) == 0o666 & ~umask


def test_a_line_feed_inside_a_line_is_a_bug_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="line 2 contains a line feed"):
        write_lines_atomically(tmp_path / "text", ["a", "b\nc"])
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="cannot be written"):
        write_lines_atomically(tmp_path / "missing" / "text", ["a"])


def test_without_space_the_old_file_stays_and_nothing_half_written_is_left(tmp_path: Path) -> None:
    file = tmp_path / "text"
    file.write_text("old\n")
    script = (
        "import resource, sys; from ledger.utils.textfiles import write_lines_atomically; "
        f"resource.setrlimit(resource.RLIMIT_FSIZE, (4096, {resource.RLIM_INFINITY})); "
        "write_lines_atomically(sys.argv[1], ['x' * 100] * 1000)"
    )
    command = [sys.executable, "-c", script, str(file)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert "LedgerError: no space left to write" in done.stderr
    assert file.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [file]
