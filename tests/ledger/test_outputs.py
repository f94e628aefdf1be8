"""Files that the user names for a command to write never replace what must be kept."""

import os
import subprocess
import threading
from pathlib import Path

import pytest

from ledger.errors import LedgerError, UsageError
from ledger.outputs import append_output, check_output, write_output

PRECIOUS = [
    "experiments/ledger.jsonl",
    ".git/HEAD",
    ".GIT/new-file",
    ".ledger/anything",
    "experiments/exp5.yaml",
    "lockfiles/mt-5.0.0.txt",
    "pyproject.toml",
    "experiments/../experiments/ledger.jsonl",
    "link-to-the-journal",
    "hard-link-to-the-journal",
    "linked-folder/HEAD",
]


@pytest.fixture
def root(repository, monkeypatch):
    """A repository with a journal, with links to what must be kept."""
    assert repository.ledger("note", "exp5", "a note").returncode == 0
    repository.git("add", "--all")
    (repository.root / "link-to-the-journal").symlink_to("experiments/ledger.jsonl")
    (repository.root / "linked-folder").symlink_to(".git")
    os.link(repository.root / "experiments/ledger.jsonl", repository.root / "hard-link-to-the-journal")
    monkeypatch.chdir(repository.root)
    return repository.root


def digest(root: Path) -> dict[str, bytes]:
    return {
        name: (root / name).read_bytes()
        for name in (*PRECIOUS[:2], *PRECIOUS[4:7], "hard-link-to-the-journal")
    }


@pytest.mark.parametrize("name", PRECIOUS)
@pytest.mark.parametrize("write", [write_output, append_output])
def test_what_must_be_kept_is_refused(root, name, write):
    before = digest(root)
    for path in (Path(name), root / name):
        with pytest.raises(UsageError, match="another file"):
            write(path, b"x")
    assert digest(root) == before
    assert not list(root.glob("**/.*.tmp"))


@pytest.mark.parametrize(
    "call",
    [
        ("report", "--out"),
        ("report", "--markdown", "--out"),
        ("export", "exp5", "--format", "markdown", "--out"),
        ("gate", "--junit"),
        ("gate", "--summary"),
        ("check", "text", "--flagged"),
        ("check", "text", "--lang", "ja", "--kept"),
        ("env", "lock", "mt-5.0.0", "--pylock"),
    ],
)
def test_every_option_that_names_an_output_refuses_it_before_any_work(repository, root, call):
    (root / "text").write_text("はい。\n")
    (root / "kept.output").symlink_to("experiments/ledger.jsonl")
    target = "kept" if call[-1] == "--kept" else "experiments/ledger.jsonl"
    before = digest(root)
    done = repository.ledger(*call, target)
    assert done.returncode == 2
    assert "is the journal" in done.stderr
    assert digest(root) == before


def test_a_file_that_the_ledger_wrote_may_be_written_again_though_git_tracks_it(repository, root):
    for name, options in (("log.md", ["--markdown"]), ("log.html", [])):
        for _ in range(2):
            assert repository.ledger("report", *options, "--out", name).returncode == 0
            repository.git("add", name)
    (root / "mine.md").write_text("# my notes\n")
    assert repository.ledger("report", "--out", "mine.md").returncode == 0  # not tracked


def test_an_input_is_not_replaced(repository, root):
    (root / "exp.output").write_text("はい。\n")
    (root / "same").symlink_to("exp.output")
    for options in (["--flagged", "exp.output"], ["--flagged", "same"], ["--kept", "exp"]):
        done = repository.ledger("check", "exp.output", "--lang", "ja", *options)
        assert done.returncode == 2
        assert "is also read" in done.stderr
    assert (root / "exp.output").read_text() == "はい。\n"


def test_a_spec_cannot_name_such_an_output(repository, root):
    before = digest(root)
    for name in ("experiments/exp1.yaml", "experiments/ledger.jsonl", ".git/config"):
        done = repository.ledger("run", "exp5", "--rehearse", "--set", f"output={name}")
        assert (done.returncode, "another file" in done.stderr) == (2, True), done.stderr
    assert digest(root) == before


def test_a_link_is_written_through_and_a_stream_stays_what_it_is(tmp_path):
    (tmp_path / "link").symlink_to("target")
    write_output(tmp_path / "link", b"one")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"one"
    write_output(Path("/dev/null"), b"x")
    assert Path("/dev/null").is_char_device()
    os.mkfifo(tmp_path / "pipe")
    reader = threading.Thread(
        target=lambda: (tmp_path / "read").write_bytes((tmp_path / "pipe").read_bytes())
    )
    reader.start()
    write_output(tmp_path / "pipe", b"piped")
    reader.join()
    assert (tmp_path / "read").read_bytes() == b"piped"
    assert (tmp_path / "pipe").is_fifo()


def test_standard_output_is_not_replaced_by_a_file(tmp_path):
    """`--out /dev/stdout > file`: what the process prints later must follow in the same file."""
    (tmp_path / "link").symlink_to("/dev/stdout")
    script = (
        "from pathlib import Path; from ledger.outputs import write_output; print('a', flush=True);"
        f"write_output(Path('/dev/stdout'), b'b\\n');"
        f"write_output(Path('{tmp_path}/link'), b'c\\n'); print('d')"
    )
    with (tmp_path / "file").open("wb") as file:
        subprocess.run(["python", "-c", script], stdout=file, check=True)
    assert (tmp_path / "file").read_text() == "a\nb\nc\nd\n"


def test_a_folder_or_a_missing_folder_is_one_message(tmp_path):
    with pytest.raises(UsageError, match="is a folder"):
        check_output(tmp_path)
    with pytest.raises(LedgerError, match="cannot be written"):
        write_output(tmp_path / "missing" / "file", b"x")


def test_the_job_summary_is_appended_to(repository, root, tmp_path):
    summary = tmp_path / "summary.md"
    summary.write_text("an earlier step\n")
    repository.variables["GITHUB_STEP_SUMMARY"] = str(summary)
    repository.ledger("gate")
    assert summary.read_text().startswith("an earlier step\n## ledger gate")
