import subprocess

import pytest

from ledger.git import file_versions
from ledger.git.client import GitError


def git(folder, *arguments):
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(path, content, message="x"):
    path.write_text(content)
    git(path.parent, "add", "-A")
    git(path.parent, "commit", "-qm", message)


@pytest.fixture
def file(tmp_path):
    root = tmp_path / "repo"
    (root / "experiments").mkdir(parents=True)
    git(root, "init", "-q", "-b", "main")
    git(root, "config", "user.name", "Minji")
    git(root, "config", "user.email", "minji@example.org")
    path = root / "experiments/file"
    commit(path, "a\n")
    return path


def versions(path, present=None):
    data = path.read_bytes() if present is None else present
    return [content.decode() for _, content in file_versions.other_versions(path, data)]


def test_an_append_only_file_has_no_other_versions(file):
    commit(file, "a\nb\n")
    commit(file, "a\nb\nc\n")
    assert versions(file) == []
    assert versions(file, b"a\nb\nc\nnot committed\n") == []


def test_every_content_that_is_gone_is_named_with_its_commit(file):
    commit(file, "a\nb\n")
    lost = git(file.parent, "rev-parse", "HEAD")
    commit(file, "a\n")
    assert list(file_versions.other_versions(file, b"a\n")) == [(lost, b"a\nb\n")]
    assert versions(file, b"") == ["a\n", "a\nb\n"]


def test_a_merge_that_took_one_sides_file_hides_nothing(file):
    git(file.parent, "checkout", "-qb", "side")
    commit(file, "a\nside\n")
    git(file.parent, "checkout", "-q", "main")
    commit(file, "a\nmain\n")
    git(file.parent, "merge", "-q", "-s", "ours", "side", "-m", "merge")
    assert versions(file) == ["a\nside\n"]


def test_the_history_is_read_only_so_far(file, monkeypatch):
    for number in range(5):
        commit(file, f"{number}\n")
    monkeypatch.setattr(file_versions, "MOST_BYTES", 6)
    assert versions(file, b"other\n") == ["4\n", "3\n", "2\n"]


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_git_recognizes_contents_by_either_digest(tmp_path, algorithm):
    git(tmp_path, "init", "-q", "--object-format", algorithm)
    git(tmp_path, "config", "user.name", "Minji")
    git(tmp_path, "config", "user.email", "minji@example.org")
    commit(tmp_path / "file", "a\n")
    assert versions(tmp_path / "file", b"a\nb\n") == []


def test_a_submodule_a_linked_file_and_a_worktree_are_read_where_they_are(file, tmp_path):
    commit(file, "a\nb\n")
    git(file.parent, "worktree", "add", "-q", "--detach", str(tmp_path / "tree"))
    link = tmp_path / "link"
    link.symlink_to(file)
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(file.parents[1]), "mt")
    for path in (tmp_path / "tree/experiments/file", link, outer / "mt/experiments/file"):
        assert versions(path, b"") == ["a\nb\n", "a\n"]


def test_without_a_repository_or_a_commit_there_is_nothing(tmp_path):
    assert versions(tmp_path / "file", b"") == []
    git(tmp_path, "init", "-q")
    assert versions(tmp_path / "file", b"") == []


def damaged_branch(root):
    (root / ".git/refs/heads/main").write_text("")


def lost_head(root):
    (root / ".git/HEAD").unlink()


def lost_objects(root):
    for path in (root / ".git/objects").glob("??/*"):
        path.unlink()


@pytest.mark.parametrize("damage", [damaged_branch, lost_head, lost_objects])
def test_a_damaged_repository_is_an_error(file, damage):
    damage(file.parents[1])
    with pytest.raises(GitError):
        versions(file)


def test_no_git_and_another_owner_are_errors(file, monkeypatch):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    with pytest.raises(GitError, match="dubious ownership"):
        versions(file)


def test_finds_a_text_on_another_branch_only_if_it_never_stood_here(file):
    git(file.parent, "checkout", "-qb", "feat")
    commit(file, "both\nfeat\n")
    git(file.parent, "checkout", "-q", "main")
    commit(file, "both\n")
    commit(file, "")
    wanted = ["both", "feat", "nowhere"]
    assert file_versions.found_elsewhere(file, wanted) == {"feat": "refs/heads/feat"}


def test_finds_a_text_in_the_stash(file):
    file.write_text("kept\n")
    git(file.parent, "stash", "-q")
    assert file_versions.found_elsewhere(file, ["kept"]) == {"kept": "refs/stash"}
