import sys

import pytest

from ledger.commands.diff_env.compare import compare_sides
from ledger.environments.diff.from_lockfiles import side_of_lockfile, side_of_requirements
from ledger.environments.diff.ranking import suspects
from ledger.environments.lockfile import read
from ledger.errors import LedgerError
from ledger.evidence.environment import EnvironmentSide, Package


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
    elsewhere = 'sys_platform == "win32"'
    assert side.packages == {
        "torch": Package("2.13.0+cpu"),
        "numpy": Package("2.4.6"),
        f"pywin32 ; {elsewhere}": Package("311", marker=elsewhere),
    }
    assert (side.name, side.torch, side.whole) == ("mt.txt", "cpu", False)


# A line of requirements.txt, and what it asks for.
LINES = [
    ("transformers==4.57.6", {"transformers": Package("4.57.6")}),
    ("Typing_Extensions===4.1", {"typing-extensions": Package("4.1")}),
    ("transformers>=4.40,<5", {"transformers": Package(None, "<5,>=4.40")}),
    ("transformers==4.*", {"transformers": Package(None, "==4.*")}),
    ("transformers[torch]", {"transformers": Package(None, "", extras=("torch",))}),
    ("a==1 --hash=sha256:00 --hash=sha256:11", {"a": Package("1")}),
    ("a==1 \\\n    --hash=sha256:00", {"a": Package("1")}),
    ("a==1  # because", {"a": Package("1")}),
    (
        f'a==1 ; python_version >= "{sys.version_info[0]}"\nb==1 ; extra == "x"',
        {"a": Package("1"), 'b ; extra == "x"': Package("1", marker='extra == "x"')},
    ),
    ("a\na>=1\n-c low.txt", {"a": Package("1.5"), "b": Package(None, "<2")}),
    ("--index-url https://example.org/simple\n-i x\na==1", {"a": Package("1")}),
    ("-e ./src/mine", {"mine": Package(None, origin={"url": "./src/mine", "editable": True})}),
    (
        "-e git+https://u:secret@example.org/x.git#egg=Mine",
        {"mine": Package(None, origin={"url": "https://example.org/x.git", "editable": True})},
    ),
    (
        "a @ https://u:secret@example.org/a.whl?token=s",
        {"a": Package(None, origin={"url": "https://example.org/a.whl"})},
    ),
    ("\ufeffa==1", {"a": Package("1")}),
]


@pytest.mark.parametrize(("text", "packages"), LINES)
def test_each_line_asks_for_one_package(write, text, packages):
    write("a==1.5\nb<2\n", "low.txt")
    assert side_of_requirements(write(text)).packages == packages


def test_what_a_list_does_not_name_may_be_there_as_a_dependency(write):
    listed = side_of_requirements(write("transformers>=4\n"))
    locked = side_of_lockfile(read(write("transformers==4.57.6\ntokenizers==0.22.2\n", "mt.txt")))
    assert suspects(listed, locked) == suspects(locked, listed) == []


# Two lists, and the names of what differs between them; (name) hardly matters.
PAIRS = [
    ("a==1\n", "a==1\n", []),
    ("a==1\n", "a @ https://x.org/a-1-py3-none-any.whl\n", ["a"]),
    ("a @ https://x.org/a-1-py3-none-any.whl\n", "https://x.org/a-1-py3-none-any.whl\n", []),
    ("a @ git+https://x.org/a@v1\n", "a @ git+https://x.org/a@v2\n", ["a"]),
    ("a @ git+https://x.org/a@v1\n", "-e git+https://x.org/a.git@v1#egg=a\n", ["a"]),
    ("a @ git+https://x.org/a@v1\n", "a==1\n", ["a"]),
    ("-e /home/a/mt\n", "-e /home/b/mt\n", ["mt"]),
    ("-i https://a.example\na==1\n", "-i https://b.example\na==1\n", ["pip's options"]),
    ("-i https://a.example\na==1 --hash=md5:0\n", "-i https://b.example\na==1 --hash=md5:0\n", []),
    ("a==1 --hash=sha256:0\n", "a==1 --hash=sha256:1\n", ["a"]),
    ("a==1 --hash=sha256:0\n", "a==1\n", []),
    ("a>=1\n", "a>=1\nb\n", ["b"]),
    ("a[x]>=1\n", "a>=1\n", ["a"]),
    ("a[x]==1\n", "a==1\n", []),
    ("a==1 ; extra == 'x'\n", "a==2 ; extra == 'x'\n", ['a ; extra == "x"']),
    ("b\na==1 ; sys_platform == 'none'\n", "b\na==2 ; sys_platform == 'none'\n",
     ['(a ; sys_platform == "none")']),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "differ"), PAIRS)
def test_lists_are_compared_by_what_each_line_asks_for(write, old, new, differ):
    a, b = side_of_requirements(write(old, "a.txt")), side_of_requirements(write(new, "b.txt"))
    for one, other in ((a, b), (b, a)):
        assert [s.name if s.hard else f"({s.name})" for s in suspects(one, other)] == differ


def test_what_is_not_read_is_a_skip_and_not_a_pass(write):
    report = compare_sides(
        side_of_requirements(write("a==1\nb = 2\n", "a.txt")), side_of_requirements(write("a==1\n"))
    ).report
    assert report.verdict == "inconclusive"
    (skip,) = [one for one in report.skips if one.required]
    assert (skip.code, skip.reason.partition(":")[0]) == ("ENV003", "a.txt, line 2 is not a requirement")


def test_a_place_that_an_interpreter_has_from_pip_equals_that_of_its_freeze(write):
    commit = "0123456789abcdef0123456789abcdef01234567"
    installed = Package("0.1", origin={"url": "https://x.org/a.git", "editable": False, "commit": commit})
    here = EnvironmentSide("here", "interpreter", packages={"a": installed}, whole=True)
    for line, differ in ((f"a @ git+https://x.org/a@{commit}", 0), ("a @ git+https://x.org/a@v2", 1)):
        assert len(suspects(here, side_of_requirements(write(f"{line}\n")))) == differ


def test_included_files_are_read_and_a_file_that_includes_itself_ends(write):
    write("b==2\n-r requirements.txt\n", "more.txt")
    side = side_of_requirements(write("a==1\n-r more.txt\n"))
    assert side.packages == {"a": Package("1"), "b": Package("2")}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "names no package"),
        ("# nothing\n", "names no package"),
        ("b = 2\n", "line 1 is not a requirement"),
        (b"\xff\xfe\x00", "not UTF-8"),
        ("-r missing.txt", "cannot be read"),
    ],
)
def test_what_is_no_list_of_requirements_is_one_message(write, text, says):
    with pytest.raises(LedgerError, match=says):
        side_of_requirements(write(text))
