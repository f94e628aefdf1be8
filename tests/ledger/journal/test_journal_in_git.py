"""Real git: branches, merges, stashes and worktrees raise no false alarm, and what was lost still shows."""

import subprocess

import pytest

from ledger.commands.fsck import check_journals
from ledger.journal.runs import read_runs
from ledger.journal.store import newest, open_journal
from ledger.workspace import Workspace


class Repository:
    def __init__(self, root):
        self.root = root
        (root / "experiments").mkdir(parents=True, exist_ok=True)

    def git(self, *arguments):
        identity = ["-c", "user.name=Minji", "-c", "user.email=minji@example.org"]
        subprocess.run(["git", *identity, *arguments], cwd=self.root, check=True, capture_output=True)

    @property
    def journal(self):
        return open_journal(Workspace(self.root), "real")

    def append(self, name):
        return self.journal.append("run.started", {"run": name, "experiment": name})

    def commit(self, message="x"):
        self.git("add", "-A")
        self.git("commit", "-qm", message)

    def faults(self):
        [real, _rehearsals] = check_journals(Workspace(self.root))
        return [(f.code, f.severity.label) for f in real.report.findings]

    def runs(self):
        return [entry.body["run"] for entry in self.journal.entries()]


@pytest.fixture
def repo(tmp_path):
    made = Repository(tmp_path / "repo")
    made.git("init", "-q", "-b", "main")
    (made.root / ".gitattributes").write_text("experiments/ledger.jsonl merge=union -text\n")
    (made.root / ".gitignore").write_text("/.ledger/\n")
    made.append("first")
    made.commit()
    return made


def two_branches(repo):
    repo.git("checkout", "-qb", "feat")
    repo.append("feat-1")
    repo.append("feat-2")
    repo.commit()
    repo.git("checkout", "-q", "main")
    repo.append("main-1")
    repo.commit()


def test_a_union_merge_is_sound_and_the_next_entry_names_both_sides(repo):
    two_branches(repo)
    assert repo.faults() == []
    repo.git("merge", "-q", "feat", "-m", "merge")
    assert repo.faults() == []
    assert sorted(repo.runs()) == ["feat-1", "feat-2", "first", "main-1"]
    assert len(newest(repo.journal.entries())) == 2
    assert len(repo.append("after").parents) == 2
    assert repo.faults() == []
    repo.git("checkout", "-q", "feat", "--force")
    assert repo.faults() == []


@pytest.mark.parametrize("line", range(4))
def test_any_line_removed_right_after_a_merge_shows(repo, line):
    two_branches(repo)
    repo.git("merge", "-q", "feat", "-m", "merge")
    lines = repo.journal.path.read_bytes().splitlines(keepends=True)
    repo.journal.path.write_bytes(b"".join(lines[:line] + lines[line + 1 :]))
    assert repo.faults() == [("JRN002", "error")]


def test_an_entry_that_was_committed_on_another_branch_is_not_lost(repo):
    """Appended on main, not committed; a branch is made and takes it along."""
    repo.append("carried")
    repo.git("checkout", "-qb", "feat")
    repo.commit()
    repo.git("checkout", "-q", "main")
    assert repo.faults() == [("JRN002", "info")]
    repo.append("main-1")
    assert repo.faults() == [("JRN002", "info")]
    repo.commit()
    repo.git("merge", "-q", "feat", "-m", "merge")
    assert repo.faults() == []
    repo.append("after")
    assert repo.faults() == []


def test_an_entry_in_the_stash_is_not_lost(repo):
    repo.append("stashed")
    repo.git("stash", "-q")
    assert repo.faults() == [("JRN002", "info")]
    repo.git("stash", "pop", "-q")
    assert repo.faults() == []


def test_a_removed_line_is_lost_although_another_branch_still_has_it(repo):
    repo.append("second")
    repo.commit()
    repo.git("branch", "feat")
    lines = repo.journal.path.read_bytes().splitlines(keepends=True)
    repo.journal.path.write_bytes(lines[0])
    assert repo.faults() == [("JRN002", "error")]
    repo.commit("removed, and committed so")
    assert repo.faults() == [("JRN002", "error")]


def test_a_line_that_a_merge_lost_is_lost_although_its_branch_still_has_it(repo, tmp_path):
    two_branches(repo)
    ours = repo.journal.path.read_bytes()
    repo.git("merge", "-q", "feat", "--no-commit")
    repo.journal.path.write_bytes(ours)
    repo.commit()
    assert repo.faults() == [("JRN002", "error")]
    repo.git("clone", "-q", str(repo.root), str(tmp_path / "clone"))
    assert Repository(tmp_path / "clone").faults() == [("JRN002", "error")]
    repo.append("later")
    repo.commit()
    assert repo.faults() == [("JRN002", "error")]
    repo.git("merge", "-q", "feat", "-m", "again")  # nothing new to git
    repo.git("checkout", "feat", "experiments/ledger.jsonl")
    feat = repo.journal.path.read_bytes().splitlines(keepends=True)
    repo.git("checkout", "main", "experiments/ledger.jsonl")
    now = repo.journal.path.read_bytes()
    repo.journal.path.write_bytes(now + b"".join(line for line in feat if line not in now))
    assert repo.faults() == []


def test_a_newest_line_that_a_commit_removed_is_lost_in_a_clone_too(repo, tmp_path):
    before = repo.journal.path.read_bytes()
    repo.append("second")
    repo.commit()
    repo.journal.path.write_bytes(before)
    repo.commit()
    repo.git("clone", "-q", str(repo.root), str(tmp_path / "clone"))
    clone = Repository(tmp_path / "clone")
    assert clone.faults() == [("JRN002", "error")]
    clone.append("third")
    assert clone.faults() == [("JRN002", "error")]


def test_where_git_cannot_read_the_repository_the_check_is_not_conclusive(repo, monkeypatch):
    [real, rehearsals] = check_journals(Workspace(repo.root))
    assert (real.report.verdict, real.report.skips) == ("pass", ())
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    [real, rehearsals] = check_journals(Workspace(repo.root))
    assert real.report.verdict == "inconclusive"
    assert [(one.code, one.required) for one in real.report.skips] == [("JRN002", True)]
    assert "dubious ownership" in real.report.skips[0].reason
    assert rehearsals.report.verdict == "pass"


def test_an_entry_of_a_deleted_branch_stays_missed_on_a_new_one_of_that_name(repo):
    repo.git("checkout", "-qb", "feat")
    lost = repo.append("feat-1")
    repo.commit()
    repo.git("checkout", "-q", "main")
    assert repo.faults() == []
    repo.git("branch", "-qD", "feat")
    assert repo.faults() == []
    repo.git("checkout", "-qb", "feat")
    assert repo.faults() == [("JRN002", "error")]
    repo.append("feat-2")
    [real, _] = check_journals(Workspace(repo.root))
    assert real.report.findings[0].evidence["missing"] == lost.id


def test_a_reset_behind_another_branch_is_told_but_no_error(repo):
    repo.append("second")
    repo.commit()
    repo.git("branch", "kept")
    repo.git("reset", "-q", "--hard", "HEAD~1")
    assert repo.faults() == [("JRN002", "info")]


def test_an_entry_that_a_merge_doubled_is_told_but_no_error(repo):
    """Cherry-picked lines amid new ones on both sides: git's union keeps both copies."""
    two_branches(repo)
    repo.git("checkout", "-q", "feat")
    repo.append("feat-3")
    repo.commit()
    repo.git("checkout", "-q", "main")
    repo.git("cherry-pick", "feat~1")
    assert repo.faults() == []
    repo.git("merge", "-q", "feat", "-m", "merge")
    assert repo.faults() == [("JRN003", "info")]
    repo.append("after")
    assert repo.faults() == [("JRN003", "info")]
    assert len(read_runs(repo.journal.entries())) == len(set(repo.runs())) == 6
    lines = repo.journal.path.read_bytes().splitlines(keepends=True)
    repo.journal.path.write_bytes(b"".join([*lines, lines[0]]))
    assert repo.faults() == [("JRN003", "error"), ("JRN003", "info")]


def test_a_squash_and_then_a_merge_hold_each_run_once(repo):
    two_branches(repo)
    repo.git("merge", "-q", "--squash", "feat")
    repo.commit("squashed")
    assert repo.faults() == []
    repo.git("checkout", "-q", "feat")
    repo.append("feat-3")
    repo.commit()
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "feat", "-m", "merge")
    assert all(severity == "info" for _, severity in repo.faults())
    assert len(read_runs(repo.journal.entries())) == 5


def test_a_criss_cross_of_merges_is_no_error_and_each_run_is_one(repo):
    """Which merge base git takes first hangs on the second of the commit; a doubled line may hang on that."""
    two_branches(repo)
    repo.git("branch", "main-before")
    repo.git("merge", "-q", "feat", "-m", "merge")
    repo.append("main-2")
    repo.commit()
    repo.git("checkout", "-q", "feat")
    repo.git("merge", "-q", "main-before", "-m", "merge")
    repo.append("feat-3")
    repo.commit()
    repo.git("merge", "-q", "main", "-m", "merge")
    assert [fault for fault in repo.faults() if fault != ("JRN003", "info")] == []
    assert sorted(run.id for run in read_runs(repo.journal.entries())) == [
        "feat-1",
        "feat-2",
        "feat-3",
        "first",
        "main-1",
        "main-2",
    ]


def test_a_rebase_keeps_it_sound(repo):
    two_branches(repo)
    repo.git("checkout", "-q", "feat")
    repo.git("rebase", "-q", "main")
    assert repo.faults() == []
    repo.append("after")
    assert repo.faults() == []


def test_detached_and_back(repo):
    repo.append("second")
    repo.commit()
    repo.git("checkout", "-q", "HEAD~1")
    assert repo.faults() == []
    repo.git("checkout", "-q", "main")
    assert repo.faults() == []


def test_a_worktree_has_heads_of_its_own(repo, tmp_path):
    repo.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    side = Repository(tmp_path / "side")
    side.append("side-1")
    side.commit()
    repo.append("main-1")
    assert side.faults() == repo.faults() == []


def test_a_fresh_clone_misses_what_was_committed(repo, tmp_path):
    repo.append("second")
    repo.commit()
    repo.git("clone", "-q", str(repo.root), str(tmp_path / "clone"))
    clone = Repository(tmp_path / "clone")
    assert clone.faults() == []
    lines = clone.journal.path.read_bytes().splitlines(keepends=True)
    clone.journal.path.write_bytes(lines[0])
    assert clone.faults() == [("JRN002", "error")]


def test_without_git_the_heads_are_kept_all_the_same(tmp_path):
    plain = Repository(tmp_path)
    plain.append("first")
    assert plain.faults() == []
    plain.journal.path.unlink()
    assert plain.faults() == [("JRN002", "error")]
