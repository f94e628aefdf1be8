import sys

import pytest

from ledger.environments.diff.from_lockfiles import side_of_lockfile, side_of_requirements
from ledger.environments.diff.ranking import suspects
from ledger.environments.lockfile import read
from ledger.errors import LedgerError
from ledger.evidence.environment import Package


@pytest.fixture
def write(tmp_path):
    def write(text, name="requirements.txt"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_a_lockfile_pins_what_applies_here(write):
    path = write('torch==2.13.0+cpu\nNumPy==2.4.6\npywin32==311 ; sys_platform == "win32"\n', "mt.txt")
    side = side_of_lockfile(read(path))
    assert side.packages == {"torch": Package("2.13.0+cpu"), "numpy": Package("2.4.6")}
    assert (side.name, side.torch, side.whole) == ("mt.txt", "cpu", False)


# A line of requirements.txt, and what it asks for.
LINES = [
    ("transformers==4.57.6", {"transformers": Package("4.57.6")}),
    ("Typing_Extensions===4.1", {"typing-extensions": Package("4.1")}),
    ("transformers>=4.40,<5", {"transformers": Package(None, "<5,>=4.40")}),
    ("transformers==4.*", {"transformers": Package(None, "==4.*")}),
    ("transformers[torch]", {"transformers": Package(None, "")}),
    ("a==1 --hash=sha256:00 --hash=sha256:11", {"a": Package("1")}),
    ("a==1 \\\n    --hash=sha256:00", {"a": Package("1")}),
    ("a==1  # because", {"a": Package("1")}),
    (f'a==1 ; python_version >= "{sys.version_info[0]}"\nb==1 ; sys_platform == "none"', {"a": Package("1")}),
    ("--index-url https://example.org/simple\n-i x\na==1", {"a": Package("1")}),
    ("-e ./src/mine", {"mine": Package(None, origin={"url": "./src/mine", "editable": True})}),
    (
        "-e git+https://u:secret@example.org/x.git#egg=Mine",
        {"mine": Package(None, origin={"url": "git+https://example.org/x.git", "editable": True})},
    ),
    (
        "a @ https://u:secret@example.org/a.whl?token=s",
        {"a": Package(None, origin={"url": "https://example.org/a.whl"})},
    ),
    ("\ufeffa==1", {"a": Package("1")}),
]


@pytest.mark.parametrize(("text", "packages"), LINES)
def test_each_line_asks_for_one_package(write, text, packages):
    assert side_of_requirements(write(text)).packages == packages


def test_what_a_list_does_not_name_may_be_there_as_a_dependency(write):
    listed = side_of_requirements(write("transformers>=4\n"))
    locked = side_of_lockfile(read(write("transformers==4.57.6\ntokenizers==0.22.2\n", "mt.txt")))
    assert suspects(listed, locked) == suspects(locked, listed) == []


def test_included_files_are_read_and_a_file_that_includes_itself_ends(write):
    write("b==2\n-r requirements.txt\n", "more.txt")
    side = side_of_requirements(write("a==1\n-r more.txt\n"))
    assert side.packages == {"a": Package("1"), "b": Package("2")}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "names no package"),
        ("# nothing\n", "names no package"),
        ("a==1\nb = 2\n", "line 2, is not a requirement"),
        (b"\xff\xfe\x00", "not UTF-8"),
        ("-r missing.txt", "cannot be read"),
    ],
)
def test_what_is_no_list_of_requirements_is_one_message(write, text, says):
    with pytest.raises(LedgerError, match=says):
        side_of_requirements(write(text))
