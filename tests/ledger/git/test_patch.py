"""Uncommitted changes: what is kept of them makes the same files again from the commit alone."""

import subprocess

import pytest

from ledger.git.client import GitError
from ledger.git.client import run as git
from ledger.git.patch import MOST_BYTES, SMALL_BYTES, keep, put_back


@pytest.fixture
def repo(tmp_path):
    root = tmp_path / "repo"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    git(root, "config", "user.email", "ana@example.org")
    git(root, "config", "user.name", "Ana")
    (root / "a.txt").write_text("one\ntwo\nthree\n")
    (root / "gone.txt").write_text("gone\n")
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "b.bin").write_bytes(bytes(range(256)))
    (root / "dos.txt").write_bytes(b"one\r\ntwo\r\n")
    (root / "journal").write_text("line\n")
    (root / ".gitignore").write_text("/kept/\n*.log\n")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "begin")
    (root / "kept").mkdir()
    return root


def kept(root):
    return keep(root, root / "kept", ignore=[root / "journal"])


CHANGES = {
    "edited": lambda root: (root / "a.txt").write_text("one\nTWO  \nthree"),
    "deleted": lambda root: (root / "gone.txt").unlink(),
    "executable": lambda root: (root / "run.sh").chmod(0o755),
    "binary": lambda root: (root / "b.bin").write_bytes(bytes(reversed(range(256)))),
    "line ends": lambda root: (root / "dos.txt").write_bytes(b"one\r\nTWO\r\n"),
    "new": lambda root: (root / "neu über.yaml").write_text("title: 새 실험\n", encoding="utf-8"),
    "new, odd name": lambda root: (root / "[a]*?.txt").write_text("x"),
    "new, in a new folder": lambda root: ((root / "f").mkdir(), (root / "f" / "x").write_bytes(b"\0\1")),
    "new, empty": lambda root: (root / "empty").touch(),
    "new, a link": lambda root: (root / "link").symlink_to("a.txt"),
    "staged": lambda root: ((root / "s.txt").write_text("staged"), git(root, "add", "s.txt")),
    "staged, then edited": lambda root: (
        (root / "a.txt").write_text("staged\n"),
        git(root, "add", "a.txt"),
        (root / "a.txt").write_text("edited\n"),
    ),
    "renamed": lambda root: git(root, "mv", "a.txt", "z.txt"),
}


def files(root):
    listed = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split(b"\0")
    paths = [root / name.decode() for name in set(listed) if name and name != b"journal"]
    present = [path for path in paths if path.exists() or path.is_symlink()]
    return {path.name: (path.lstat().st_mode, path.is_symlink() or path.read_bytes()) for path in present}


@pytest.mark.parametrize("how", CHANGES)
def test_what_was_kept_makes_the_same_files_again(repo, tmp_path, how):
    CHANGES[how](repo)
    status = git(repo, "status", "--porcelain")
    facts = kept(repo)
    assert git(repo, "status", "--porcelain") == status, "the user's index was touched"
    assert facts["patch"]["path"] == "kept/uncommitted.patch"
    tree = tmp_path / "tree"
    git(repo, "worktree", "add", "-q", "--detach", str(tree), "HEAD")
    put_back(repo / facts["patch"]["path"], tree)
    assert files(tree) == files(repo)


def test_all_of_it_at_once_under_any_setting_of_the_user(repo, tmp_path):
    for how in set(CHANGES) - {"renamed", "staged, then edited"}:
        CHANGES[how](repo)
    for name, value in (
        ("diff.noprefix", "true"), ("diff.mnemonicPrefix", "true"), ("color.ui", "always"),
        ("diff.external", "false"), ("diff.renames", "copies"), ("core.quotePath", "false"),
    ):  # fmt: skip
        git(repo, "config", name, value)
    facts = kept(repo)
    tree = tmp_path / "tree"
    git(repo, "worktree", "add", "-q", "--detach", str(tree), "HEAD")
    put_back(repo / facts["patch"]["path"], tree)
    assert files(tree) == files(repo)


def test_what_did_not_change_or_is_left_out_keeps_nothing(repo):
    assert kept(repo) == {"patch": None}
    (repo / "journal").write_text("line\nline\n")
    (repo / "x.log").write_text("ignored by git")
    assert kept(repo) == {"patch": None}


def test_a_large_new_file_is_listed_by_digest(repo):
    (repo / "corpus.ko").write_bytes(b"x" * (SMALL_BYTES + 1))
    (repo / "small.yaml").write_text("title: x\n")
    facts = kept(repo)
    (one,) = facts["untracked"]
    assert one["path"] == "corpus.ko"
    assert len(one["sha256"]) == 64
    assert b"corpus" not in (repo / "kept" / "uncommitted.patch").read_bytes()


def test_many_new_files_stay_within_the_size(repo):
    for number in range(40):
        (repo / f"part{number}").write_bytes(bytes([number]) * (SMALL_BYTES - 1))
    facts = kept(repo)
    assert facts["patch"]["bytes"] <= MOST_BYTES
    assert facts["untracked"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("token = 'hf_" + "a" * 34 + "'", "Hugging Face"),
        ("index-url = https://ana:s3cret@example.org/simple", "URL"),
        ("password: hunter2hunter2", "named like a secret"),
    ],
)
def test_a_patch_with_a_secret_is_not_kept(repo, line, says):
    (repo / "a.txt").write_text(f"one\n{line}\n")
    facts = kept(repo)
    assert facts["patch"] is None
    assert says in facts["patch_refused"]
    assert line not in str(facts)
    assert list((repo / "kept").iterdir()) == []


def test_a_patch_that_is_too_large_is_not_kept(repo):
    import random

    (repo / "b.bin").write_bytes(random.Random(1).randbytes(MOST_BYTES))
    facts = kept(repo)
    assert facts["patch"] is None
    assert "bytes" in facts["patch_refused"]


def test_a_patch_that_does_not_fit_is_one_message(repo):
    (repo / "a.txt").write_text("one\nTWO\n")
    facts = kept(repo)
    git(repo, "commit", "-q", "-a", "-m", "another")
    with pytest.raises(GitError, match=r"a\.txt"):
        put_back(repo / facts["patch"]["path"], repo)


def test_without_a_commit_or_a_repository_nothing_is_kept(tmp_path):
    assert keep(tmp_path, tmp_path) == {}
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "x").touch()
    assert keep(tmp_path, tmp_path) == {}
