import json
import os
import sys
import zipfile
from importlib.metadata import version

import pytest
from filelock import FileLock

RICH = f"rich=={version('rich')}\n"


@pytest.fixture
def pinned(recorded):
    """The repository with one lockfile, which pins one package to the installed version."""
    recorded.lockfiles.mkdir()
    (recorded.lockfiles / "mt.in").write_text("rich\n")
    (recorded.lockfiles / "mt.txt").write_text(RICH)
    return recorded


def test_the_only_environment_needs_no_name(pinned, ledger):
    answer = ledger("env", "show")
    assert answer.code == 0
    assert "mt.txt, 1 of its packages here" in answer.out
    assert "PASS  compared with mt" in answer.out


def test_json_has_both_full_digests_and_what_they_cover(pinned, ledger):
    document = ledger("env", "show", "--json").document
    assert document["verdict"] == "pass"
    assert document["passed"] == ["ENV001", "ENV002"]
    assert document["facts"]["packages"].keys() == {"rich"}
    assert len(document["digest"]) == len(document["machine_digest"]) == len("sha256:") + 64
    assert document["reported"]["interpreter"] == sys.executable


def test_a_version_other_than_the_pinned_one_fails(pinned, ledger):
    (pinned.lockfiles / "mt.txt").write_text("rich==1.0.0\n")
    answer = ledger("env", "show")
    assert answer.code == 1
    assert "ENV001" in answer.out
    assert f"rich 1.0.0 -> {version('rich')}" in " ".join(answer.out.split())


def test_of_several_lockfiles_the_nearest_is_used_unless_one_is_named(pinned, ledger):
    (pinned.lockfiles / "another.in").write_text("rich\n")
    (pinned.lockfiles / "another.txt").write_text("rich==1.0.0\n")
    assert ledger("env", "show", "--json").document["lockfile"]["name"] == "mt"
    assert ledger("env", "show", "--env", "another").code == 1
    assert ledger("env", "show", "--env", "lockfiles/another.txt").code == 1


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--env", "tm"], 2, "no lockfile tm.txt"),
        (["--env", "none.txt"], 3, "no lockfile none.txt"),
        (["--python", "none/python"], 3, "cannot be started"),
        (["--python", "lockfiles"], 3, "cannot be started"),
    ],
)
def test_what_cannot_be_shown_is_one_message(pinned, ledger, arguments, code, says):
    answer = ledger("env", "show", *arguments)
    assert (answer.code, answer.out) == (code, "")
    assert says in answer.err


def test_outside_a_ledger_nothing_is_compared(tmp_path, monkeypatch, ledger):
    monkeypatch.chdir(tmp_path)
    answer = ledger("env", "show", "--json")
    assert answer.code == 0
    assert [skip["code"] for skip in answer.document["skips"]] == ["ENV001", "ENV002"]
    assert answer.document["lockfile"] is None


def test_an_environment_is_built_once_and_its_python_printed(pinned, ledger, tmp_path, monkeypatch):
    monkeypatch.setenv("LEDGER_ENVIRONMENTS", str(tmp_path / "environments"))
    (pinned.lockfiles / "mt.txt").write_text("# nothing\n")
    first = ledger("env", "build", "mt")
    assert first.code == 0
    assert ledger("env", "build", "mt", "--json").document["python"] == first.out.strip()
    assert ledger("env", "build", "tm").code == 2


def test_a_pylock_is_shown_like_any_lockfile(pinned, ledger):
    wheel = f"rich-{version('rich')}-py3-none-any.whl"
    (pinned.lockfiles / "pylock.other.toml").write_text(
        f'lock-version = "1.0"\ncreated-by = "somebody"\n[[packages]]\nname = "rich"\n'
        f'version = "{version("rich")}"\nwheels = [{{ path = "{wheel}", hashes = {{ sha256 = "aa" }} }}]\n'
    )
    document = ledger("env", "show", "--env", "other", "--json").document
    assert (document["verdict"], document["lockfile"]["name"]) == ("pass", "other")
    assert ledger("env", "show", "--env", "lockfiles/pylock.other.toml").code == 0
    (pinned.lockfiles / "pylock.other.toml").write_text("lock-version = 1\n")
    answer = ledger("env", "show", "--env", "other")
    assert (answer.code, answer.err.count("\n")) == (3, 2)


def test_a_lockfile_is_compiled_and_built_from(pinned, ledger, tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    with zipfile.ZipFile(wheels / "peer-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("peer-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: peer\nVersion: 1.0\n")
        archive.writestr("peer-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("peer-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("LEDGER_ENVIRONMENTS", str(tmp_path / "environments"))
    (pinned.lockfiles / "new.in").write_text("peer\n")
    answer = ledger("env", "lock", "new", "--pylock", "pylock.new.toml", "--json")
    written = [str(pinned.lockfiles / "new.txt"), "pylock.new.toml"]
    assert (answer.code, answer.document["written"]) == (0, written), answer.err
    for path in written:
        shown = ledger("env", "build", path)
        assert shown.code == 0, shown.err
        against = ledger("env", "show", "--env", path, "--python", shown.out.strip(), "--json").document
        assert against["verdict"] == "pass"
        assert against["facts"]["packages"].keys() == {"peer"}


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["none"], 2, "there is no"),
        (["mt", "--pylock", "mt.toml"], 2, "name it pylock.toml or pylock.mt.toml"),
    ],
)
def test_what_cannot_be_locked_is_one_message(pinned, ledger, arguments, code, says):
    answer = ledger("env", "lock", *arguments)
    assert (answer.code, answer.out) == (code, "")
    assert says in answer.err


def test_a_packaged_lockfile_is_added_and_never_replaced(recorded, ledger):
    answer = ledger("env", "init")
    assert answer.out.split() == [f"lockfiles/mt-4.57.6{end}" for end in (".in", ".txt", "-cpu.txt")]
    (recorded.lockfiles / "mt-4.57.6.in").write_text("mine")
    assert "has all files of mt-4.57.6 already" in ledger("env", "init", "mt-4.57.6").out
    assert (recorded.lockfiles / "mt-4.57.6.in").read_text() == "mine"
    answer = ledger("env", "init", "mt-4")
    assert answer.code == 2
    assert "known: comet, mt-4.57.6" in answer.err


@pytest.fixture
def cache(tmp_path, monkeypatch, recorded):
    """A cache with two environments, the remains of a build, and a folder of somebody else's."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("LEDGER_ENVIRONMENTS", str(folder))
    for name in ("old", "new"):
        (folder / f"{name}-py3.11-1").mkdir(parents=True)
        manifest = {"lockfile": name, "python": "3.11.7"}
        (folder / f"{name}-py3.11-1" / "ledger.json").write_text(json.dumps(manifest))
    (folder / "old-py3.11-2.abc.partial").mkdir()
    (folder / "mine").mkdir()
    return folder


def test_built_environments_are_listed(cache, ledger):
    rows = ledger("env", "list", "--json").document["environments"]
    assert [(row["lockfile"], row["bytes"] > 0) for row in rows] == [
        ("new", True),
        ("old", True),
        (None, False),
    ]
    assert "interrupted build" in ledger("env", "list").out


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        ([], ["mine", "new-py3.11-1", "old-py3.11-1"]),
        (["old"], ["mine", "new-py3.11-1"]),
        (["old-py3.11-1", "new"], ["mine"]),
        (["old", "--dry-run"], ["mine", "new-py3.11-1", "old-py3.11-1", "old-py3.11-2.abc.partial"]),
        (["odd"], ["mine", "new-py3.11-1", "old-py3.11-1", "old-py3.11-2.abc.partial"]),
    ],
)
def test_prune_removes_what_is_named_and_what_was_interrupted(cache, ledger, arguments, left):
    answer = ledger("env", "prune", *arguments)
    assert answer.code == (2 if "odd" in arguments else 0)
    assert sorted(path.name for path in cache.iterdir() if path.is_dir()) == left


def test_an_environment_that_is_being_built_is_not_removed(cache, ledger):
    with FileLock(cache / "old-py3.11-2.lock"):
        answer = ledger("env", "prune")
    assert answer.code == 3
    assert "is being built" in answer.err
