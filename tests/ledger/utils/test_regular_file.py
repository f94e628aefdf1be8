"""Files that are none: no reader waits for a pipe, reads a device, or takes in a file of any size."""

import os
import socket
import time

import pytest

from ledger.importers.untrusted_files import parse_yaml
from ledger.utils import regular_file
from ledger.utils.regular_file import read_regular


@pytest.fixture
def strange(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(tmp_path / "socket"))
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "linked").symlink_to("fifo")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "folder").mkdir()
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(regular_file.MOST + 1)
    return tmp_path


NAMES = ("fifo", "socket", "zero", "linked", "loop", "folder", "huge")


def test_only_regular_files_of_a_sane_size_are_read(strange):
    for name in NAMES:
        with pytest.raises(OSError):  # noqa: PT011 - the kinds differ
            read_regular(strange / name)
    (strange / "file").write_bytes(b"x")
    assert read_regular(strange / "file") == b"x"


@pytest.mark.parametrize("name", ["fifo", "zero"])  # a large text is read line by line
def test_commands_end_at_once_with_one_message(repository, strange, name):
    root, path = repository.root, strange / name
    began = time.monotonic()
    calls = [("check", path, "--lang", "ja"), ("import", path, "--as", "markdown")]
    calls += [("diff-env", path, "current"), ("check", root / "text", "--source", path)]
    (root / "text").write_text("はい。\n")
    for call in calls:
        done = repository.ledger(*map(str, call))
        assert done.returncode in (2, 3), done.stderr
        assert name in done.stderr
    for place, calls_there in {
        root / "experiments/ledger.jsonl": (("log",), ("note", "exp5", "x"), ("fsck",)),
        root / "pyproject.toml": (("log",),),
    }.items():
        place.unlink(missing_ok=True)
        place.symlink_to(path)
        for call in calls_there:
            done = repository.ledger(*call)
            assert done.returncode in (2, 3), (call, done.stdout, done.stderr)
            assert len(done.stderr.splitlines()) <= 2
        place.unlink()
    assert time.monotonic() - began < 60


def test_the_anchors_of_a_yaml_file_are_counted_as_copies():
    doubling = b"a0: &a0 [x, x]\n" + b"".join(
        b"a%d: &a%d [*a%d, *a%d]\n" % (n, n, n - 1, n - 1) for n in range(1, 40)
    )
    with pytest.raises(ValueError, match="anchors expand"):
        parse_yaml(doubling)
    with pytest.raises(ValueError, match="holds itself"):
        parse_yaml(b"a: &a [*a]\n")
    assert parse_yaml(b"a: &a [1, 2]\nb: *a\n") == {"a": [1, 2], "b": [1, 2]}
    with pytest.raises(ValueError, match="larger"):
        parse_yaml(b"a: 1\n" * (1 << 20))
