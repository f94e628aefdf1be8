"""Atomic writes, displayed paths and times."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from ledger.utils.atomic_file import write_atomically
from ledger.utils.paths import relative_if_inside
from ledger.utils.times import iso_utc, utc_now


def test_an_atomic_write_replaces_the_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_bytes(b"old")
    write_atomically(file, b"new")
    assert file.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [file]


def test_a_failed_write_leaves_no_temporary_file(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(IsADirectoryError):
        write_atomically(folder, b"data")
    assert list(tmp_path.iterdir()) == [folder]


def test_a_path_inside_the_root_is_relative(tmp_path: Path) -> None:
    assert relative_if_inside(tmp_path / "runs" / "a", tmp_path) == "runs/a"
    assert relative_if_inside(Path("/elsewhere/a"), tmp_path) == "/elsewhere/a"


def test_times_are_utc_and_end_in_z() -> None:
    seoul = datetime(2026, 11, 28, 10, 57, 46, 120_000, timezone(timedelta(hours=9)))
    assert iso_utc(seoul) == "2026-11-28T01:57:46.120Z"
    assert iso_utc(seoul, "seconds") == "2026-11-28T01:57:46Z"
    assert abs(datetime.fromisoformat(utc_now()) - datetime.now(UTC)) < timedelta(seconds=5)
