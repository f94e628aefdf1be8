import subprocess

import pytest

from ledger.evidence.preflight import GitState
from ledger.git import status


def git(folder, *arguments):
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    root = tmp_path / "repo"
    (root / "experiments").mkdir(parents=True)
    git(root, "init", "-q", "-b", "main")
    git(root, "config", "user.name", "Kim 민지")
    git(root, "config", "user.email", "kim@example.org")
    return root


@pytest.fixture
def committed(repository):
    (repository / "train.py").write_text("pass\n")
    (repository / "experiments/ledger.jsonl").write_text("")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "first")
    return repository


def test_a_folder_outside_git_states_why_nothing_was_read(tmp_path):
    assert status.read(tmp_path) == GitState(None, None, unread=f"{tmp_path} is not in a git repository")


def test_a_bare_repository_states_why_nothing_was_read(tmp_path):
    git(tmp_path, "init", "-q", "--bare")
    assert status.read(tmp_path).unread == f"{tmp_path} is a bare git repository"


def test_a_repository_that_git_does_not_trust_states_why_nothing_was_read(committed, monkeypatch):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    state = status.read(committed)
    assert (state.commit, state.branch) == (None, None)
    assert state.unread.startswith(f"git cannot read {committed}: detected dubious ownership")


def test_a_repository_without_commits_has_a_branch_and_no_commit(repository):
    (repository / "train.py").write_text("pass\n")
    assert status.read(repository) == GitState(None, "main", ("train.py",))


def test_a_clean_tree(committed):
    assert status.read(committed) == GitState(git(committed, "rev-parse", "HEAD"), "main", ())


def test_names_what_changed_untracked_deleted_and_renamed_but_not_the_journal(committed):
    (committed / "experiments/ledger.jsonl").write_text("{}\n")
    (committed / "번역 결과.ja").write_text("x")
    git(committed, "mv", "train.py", "train2.py")
    state = status.read(committed, ignore=[committed / "experiments/ledger.jsonl"])
    assert state.changed == ("train.py", "train2.py", "번역 결과.ja")


def test_an_untracked_journal_is_left_out_too(repository):
    journal = repository / "experiments/ledger.jsonl"
    journal.write_text("{}\n")
    assert status.read(repository, ignore=[journal]).changed == ()
    (repository / "experiments/exp1.yaml").write_text("x")
    assert status.read(repository, ignore=[journal]).changed != ()


def test_a_name_that_is_not_utf8_is_told_and_not_a_crash(committed):
    (committed / b"caf\xe9".decode("utf-8", "surrogateescape")).write_text("x")
    assert status.read(committed).changed == ("caf\\xe9",)


def test_a_workspace_below_the_top_sees_the_whole_repository(committed):
    below = committed / "mt"
    (below / "experiments").mkdir(parents=True)
    (below / "experiments/ledger.jsonl").write_text("x")
    (committed / "train.py").write_text("changed\n")
    state = status.read(below, ignore=[below / "experiments/ledger.jsonl"])
    assert state.changed == ("train.py",)


@pytest.mark.parametrize("branch", ["main", "feat/긴-이름", "a.b_c"])
def test_the_branch_is_the_one_git_names(committed, branch):
    git(committed, "checkout", "-q", "-B", branch)
    assert status.current_branch(committed) == git(committed, "branch", "--show-current") == branch
    assert status.current_branch(committed / "experiments") == branch


def test_detached_is_no_branch(committed):
    git(committed, "checkout", "-q", "--detach")
    assert status.current_branch(committed) is None
    assert status.read(committed).branch is None


def test_a_worktree_has_a_branch_of_its_own(committed, tmp_path):
    git(committed, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    assert status.current_branch(tmp_path / "side") == "side"
    assert status.current_branch(committed) == "main"
    assert status.read(tmp_path / "side").branch == "side"


def test_no_repository_is_no_branch(tmp_path):
    assert status.current_branch(tmp_path) is None


def test_the_branch_costs_no_import_of_git(committed):
    import sys

    program = (
        "import sys; from pathlib import Path; from ledger.git.status import current_branch;"
        f"current_branch(Path({str(committed)!r}));"
        "print({'git', 'subprocess', 'pydantic'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"


def test_who_is_gits_user_name(committed):
    assert status.user_name(committed) == "Kim 민지"


def test_without_a_name_in_git_it_is_the_login(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "0")
    monkeypatch.setenv("LOGNAME", "minji")
    assert status.user_name(tmp_path) == "minji"
