"""pylock.toml as a lockfile: what is read from one, and what is refused."""

import pytest

from ledger.environments.lockfile import find, names, read
from ledger.errors import LedgerError

HERE = {"python_full_version": "3.11.7", "python_version": "3.11", "sys_platform": "linux"}
HEAD = 'lock-version = "1.0"\ncreated-by = "somebody"\n'
WHEEL = 'wheels = [{ url = "https://example.org/peer-1.0-py3-none-any.whl", hashes = { sha256 = "aa" } }]\n'
PEER = f'[[packages]]\nname = "peer"\nversion = "1.0"\n{WHEEL}'
SDIST = 'sdist = { url = "https://example.org/peer-1.0.tar.gz", hashes = { sha256 = "bb", md5 = "cc" } }\n'


@pytest.fixture
def locked(tmp_path):
    def lock(text):
        path = tmp_path / "pylock.mt.toml"
        path.write_text(text, encoding="utf-8")
        return read(path)

    return lock


def test_its_pins_hold_the_hashes_of_every_file(locked):
    lockfile = locked(HEAD + PEER + SDIST)
    assert lockfile.name == "mt"
    assert lockfile.digest.startswith("sha256:")
    assert lockfile.versions(HERE) == {"peer": "1.0"}
    assert lockfile.pins[0].hashes == ("sha256:aa", "sha256:bb")
    assert lockfile.requirements(HERE) == "peer===1.0 --hash=sha256:aa --hash=sha256:bb\n"


def test_an_archive_is_taken_from_its_address(locked):
    archive = 'archive = { url = "https://example.org/peer.zip", hashes = { sha512 = "dd" } }\n'
    lockfile = locked(f'{HEAD}[[packages]]\nname = "peer"\nversion = "1.0"\n{archive}')
    assert lockfile.requirements(HERE) == "peer @ https://example.org/peer.zip --hash=sha512:dd\n"
    assert "example.org" not in repr(lockfile)


@pytest.mark.parametrize(
    ("marker", "applies"),
    [
        ("sys_platform == 'linux'", True),
        ("sys_platform == 'win32'", False),
        ("'gpu' in dependency_groups", True),
        ("'docs' in dependency_groups", False),
        ("'gpu' in extras", False),
        ("sys_platform == 'win32' or python_version >= '3.11'", True),
    ],
)
def test_markers_tell_what_applies(locked, marker, applies):
    lockfile = locked(f'{HEAD}default-groups = ["gpu"]\n{PEER}marker = "{marker}"\n')
    assert lockfile.versions(HERE) == ({"peer": "1.0"} if applies else {})


@pytest.mark.parametrize(
    "condition",
    ['requires-python = ">=3.12,<4"', "environments = [\"sys_platform == 'darwin'\"]"],
)
def test_what_is_meant_for_others_is_refused_where_it_is_used(locked, condition):
    lockfile = locked(f"{HEAD}{condition}\n{PEER}")
    with pytest.raises(LedgerError, match=r"is not for this environment \(Python 3\.11\.7\)"):
        lockfile.versions(HERE)


REFUSED = {
    "no TOML": ("[[", "is not valid TOML"),
    "another format": (
        '[project]\nname = "x"\n',
        "is not a valid pylock.toml: Missing required value in 'lock-version'",
    ),
    "version 2": (HEAD.replace("1.0", "2.0") + PEER, "version 2.0 is not supported"),
    "git": (
        HEAD
        + '[[packages]]\nname = "peer"\nvcs = { type = "git", url = "https://x.org", commit-id = "f" }\n',
        "takes peer from a commit",
    ),
    "folder": (
        HEAD + '[[packages]]\nname = "peer"\ndirectory = { path = "." }\n',
        "takes peer from a folder",
    ),
    "no version": (HEAD + PEER.replace('version = "1.0"\n', ""), "names no version of peer"),
    "weak hash": (HEAD + PEER.replace("sha256", "md5"), "has no SHA-256 of peer"),
    "no hash": (HEAD + PEER.replace(', hashes = { sha256 = "aa" }', ""), "is not a valid pylock.toml"),
}


@pytest.mark.parametrize(("text", "says"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_pin_exactly_is_one_message(locked, text, says):
    with pytest.raises(LedgerError) as raised:
        locked(text)
    assert says in raised.value.message
    assert "\n" not in raised.value.message
    assert raised.value.exit_code == 3


def test_it_is_found_by_name_where_there_is_no_other(locked, tmp_path):
    locked(HEAD + PEER)
    assert names(tmp_path) == ["mt"]
    assert [one.path.name for one in find("mt", tmp_path)] == ["pylock.mt.toml"]
    (tmp_path / "mt.txt").write_text("peer==1.0\n")
    assert [one.path.name for one in find("mt", tmp_path)] == ["mt.txt"]
