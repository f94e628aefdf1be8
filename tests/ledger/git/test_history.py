"""Which commit a branch is held against, in real repositories: clones, shallow ones, detached heads."""

import subprocess
from pathlib import Path

import pytest

from ledger.errors import LedgerError, UsageError
from ledger.git.history import GitHistory


class Git:
    def __init__(self, root: Path):
        self.root = root
        root.mkdir(exist_ok=True)

    def __call__(self, *arguments):
        identity = ["-c", "user.name=Ana", "-c", "user.email=ana@example.org"]
        command = ["git", *identity, *arguments]
        done = subprocess.run(command, cwd=self.root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, name):
        (self.root / name).write_text(name)
        self("add", "--all")
        self("commit", "-qm", name)
        return self("rev-parse", "HEAD")

    def clone(self, to: Path, *options):
        subprocess.run(["git", "clone", "-q", *options, f"file://{self.root}", str(to)], check=True)
        return Git(to)

    def base(self, ref=None):
        return GitHistory(self.root).base(ref)


@pytest.fixture
def git(tmp_path):
    """main: a, b; feature: a, c, checked out."""
    made = Git(tmp_path / "origin")
    made("init", "-q", "-b", "main")
    made.a = made.commit("a")
    made("checkout", "-qb", "feature")
    made.c = made.commit("c")
    made("checkout", "-q", "main")
    made.b = made.commit("b")
    made("checkout", "-q", "feature")
    return made


def test_a_branch_is_held_against_where_it_left_main(git):
    assert git.base().tree == git.a
    assert "where it left main" in git.base().name
    assert git.base("main").tree == git.a


def test_a_branch_that_has_all_of_main_is_held_against_main(git):
    git("merge", "-q", "main", "-m", "merge")
    assert git.base().tree == git.b
    assert git.base().name == "main"


def test_main_itself_is_held_against_the_commit_before(git):
    git("checkout", "-q", "main")
    assert git.base().tree == git.a
    (git.root / "b").write_text("changed")
    assert git.base().tree == git.b
    assert "uncommitted" in git.base().name
    assert git.base("main").tree == git.b, "asked for by name it is what it says"


def test_a_first_commit_is_held_against_nothing(tmp_path):
    made = Git(tmp_path / "new")
    made("init", "-q", "-b", "main")
    with pytest.raises(LedgerError, match="no commit yet"):
        made.base()
    made.commit("a")
    history = GitHistory(made.root)
    assert history.changed(history.base(), [made.root]) == ["a"]
    assert history.file(history.base(), made.root / "a") == b""


def test_a_clone_knows_the_default_branch_of_its_origin(git, tmp_path):
    git("checkout", "-q", "main")
    clone = git.clone(tmp_path / "clone")
    clone("checkout", "-q", "feature")
    assert clone.base().tree == git.a
    clone("branch", "-qD", "main")
    assert clone.base("main").tree == git.a, "CI has no local main"


def test_a_clone_of_one_branch_alone_is_held_against_the_commit_before(git, tmp_path):
    clone = git.clone(tmp_path / "clone", "--single-branch", "--branch", "feature")
    clone("update-ref", "-d", "refs/remotes/origin/HEAD")
    assert clone.base().tree == git.a
    assert "no default branch" in clone.base().name


@pytest.mark.parametrize("branch", ["main", "feature"])
def test_a_shallow_clone_gets_one_clear_message(git, tmp_path, branch):
    clone = git.clone(tmp_path / "clone", "--depth", "1", "--branch", branch)
    with pytest.raises(LedgerError, match="shallow") as caught:
        clone.base()
    assert "fetch-depth: 0" in caught.value.hint
    assert clone.base("HEAD").tree == clone("rev-parse", "HEAD"), "what needs no history can be asked for"


def test_a_shallow_clone_of_both_branches_tells_that_they_do_not_meet(git, tmp_path):
    clone = git.clone(tmp_path / "clone", "--depth", "1", "--no-single-branch", "--branch", "feature")
    with pytest.raises(LedgerError, match="where this branch left"):
        clone.base("origin/main")


def test_a_ref_that_is_not_there_is_the_calls_fault(git):
    with pytest.raises(UsageError, match="no-such") as caught:
        git.base("no-such")
    assert "git fetch origin no-such" in caught.value.hint
    with pytest.raises(UsageError):
        git.base("--upload-pack=touch /tmp/x")


def test_branches_without_a_common_commit(git):
    git("checkout", "-q", "--orphan", "alone")
    git.commit("d")
    with pytest.raises(LedgerError, match="no commit in common"):
        git.base("main")


def test_no_repository(tmp_path):
    with pytest.raises(LedgerError, match=r"^git cannot read .*: not a git repository"):
        GitHistory(tmp_path)


def test_a_bare_repository(tmp_path):
    Git(tmp_path / "bare")("init", "-q", "--bare")
    with pytest.raises(LedgerError, match="must be run in a work tree"):
        GitHistory(tmp_path / "bare")


def test_what_changed_and_what_the_base_had(git, tmp_path):
    folder = git.root / "sub folder"
    folder.mkdir()
    (folder / "kept.yaml").write_text("1")
    (folder / "gone.yaml").write_text("1")
    (folder / "日本.yaml").write_text("1")
    git.commit("more")
    base = GitHistory(git.root).base("HEAD")
    (folder / "gone.yaml").unlink()
    (folder / "new.yaml").write_text("2")
    (folder / "日本.yaml").write_text("2")
    history = GitHistory(git.root)
    names = ["gone.yaml", "new.yaml", "日本.yaml"]
    assert history.changed(base, [folder]) == [f"sub folder/{name}" for name in names]
    history.export(base, [folder], (".yaml",), tmp_path / "copy")
    exported = sorted(path.name for path in (tmp_path / "copy/sub folder").iterdir())
    assert exported == ["gone.yaml", "kept.yaml", "日本.yaml"]
    assert history.file(base, folder / "日本.yaml") == b"1"
    assert git("status", "--porcelain") != "", "the work tree is as it was"


def test_a_ledger_below_the_top_of_the_repository(git):
    inner = git.root / "inner"
    inner.mkdir()
    (inner / "x.yaml").write_text("1")
    git.commit("c2")
    history = GitHistory(inner)
    base = history.base("HEAD")
    (inner / "x.yaml").write_text("2")
    (git.root / "a").write_text("2")
    assert history.changed(base, [inner]) == ["x.yaml"]
    assert history.file(base, inner / "x.yaml") == b"1"
    assert history.files("*.yaml") == ["x.yaml"]
