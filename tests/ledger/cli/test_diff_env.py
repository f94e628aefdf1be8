"""`ledger diff-env` on the small journal of schema 1, on files and on this interpreter."""

import json
import sys
from importlib.metadata import version

import pytest

PINNED = f"rich=={version('rich')}\n"


@pytest.fixture
def sides(recorded):
    """Two lockfiles that differ in one package, and the journal."""
    recorded.lockfiles.mkdir()
    for name, text in (("here", PINNED), ("other", "rich==1.0.0\n")):
        (recorded.lockfiles / f"{name}.in").write_text("rich\n")
        (recorded.lockfiles / f"{name}.txt").write_text(text)
    return recorded


def names(document):
    return [one["name"] for one in document["suspects"]]


def test_two_runs_in_one_environment_pass_and_other_differences_are_listed(recorded, ledger):
    answer = ledger("diff-env", "exp5", "exp7")
    assert answer.code == 0
    assert "Nothing that both sides record differs" in answer.out
    assert "commit" in answer.out


def test_another_version_fails_and_is_called_a_suspect_only(sides, ledger):
    answer = ledger("diff-env", "other", "here")
    assert answer.code == 1
    assert "rich  1.0.0" in answer.out
    assert "not a proven cause" in answer.out


def test_json_ranks_suspects_and_lists_skips(sides, ledger):
    document = ledger("diff-env", "other", "here", "--json").document
    assert document["verdict"] == "fail"
    assert document["suspects"] == [
        {
            "kind": "package",
            "name": "rich",
            "before": "1.0.0",
            "after": version("rich"),
            "change": "major",
            "imported": None,
            "chosen": "",
            "hard": True,
        }
    ]
    assert [finding["code"] for finding in document["findings"]] == ["ENV003"]
    assert {skip["code"] for skip in document["skips"]} == {"ENV004", "ENV005"}


def test_this_environment_against_its_lockfile(sides, ledger):
    assert ledger("diff-env", "here").code == 0
    assert ledger("diff-env", sys.executable, "lockfiles/here.txt").code == 0
    document = ledger("diff-env", "current", "lockfiles/other.txt", "--json").document
    assert names(document) == ["rich"]


def test_without_arguments_the_newest_passing_run_is_compared_with_now(recorded, ledger):
    document = ledger("diff-env", "--json").document
    assert document["a"]["name"].startswith("exp5-0b77de")
    assert document["b"]["name"] == "current"
    assert {"name": "python", "before": "3.11.2"}.items() <= document["suspects"][-1].items()


def test_a_range_is_checked_against_the_installed_version(sides, ledger):
    path = sides.root / "requirements.txt"
    path.write_text("rich>=1\n")
    assert ledger("diff-env", "requirements.txt").code == 0
    path.write_text("rich<1\n")
    answer = ledger("diff-env", "requirements.txt", "current")
    assert answer.code == 1
    assert "outside the required range" in " ".join(answer.out.split())


def test_minor_differences_are_counted_and_listed_on_demand(recorded, ledger, tmp_path):
    for name, release in (("a", "3.11.7"), ("b", "3.11.9")):
        files = tmp_path / name / "files"
        files.mkdir(parents=True)
        (files / "wandb-metadata.json").write_text(json.dumps({"python": release}))
    answer = ledger("diff-env", "a", "b")
    assert answer.code == 0
    assert "1 more difference hardly matters" in answer.out
    assert "3.11.9" in ledger("diff-env", "a", "b", "--all").out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["exp55", "exp5"], 2, "there is no exp55"),
        (["exp5", "exp6", "exp7"], 2, "at most two sides"),
        (["experiments"], 2, "is not an environment, a W&B run or a checkpoint"),
        (["experiments/ledger.jsonl"], 2, "is not a readable environment"),
        (["empty.txt"], 3, "names no package"),
        (["damaged"], 3, "not valid JSON"),
        (["range.txt", "--effective"], 3, "no environment can be built"),
        (["exp5", "--bisect"], 3, "needs a lockfile"),
    ],
)
def test_what_cannot_be_compared_is_one_message(recorded, ledger, arguments, code, says):
    (recorded.root / "empty.txt").write_text("")
    (recorded.root / "range.txt").write_text("rich>=1\n")
    (recorded.root / "damaged").mkdir()
    (recorded.root / "damaged" / "config.json").write_text("{")
    answer = ledger("diff-env", *arguments)
    assert (answer.code, answer.out) == (code, "")
    assert says in answer.err


def test_outside_a_ledger_files_and_interpreters_are_still_compared(tmp_path, monkeypatch, ledger):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "requirements.txt").write_text(PINNED)
    assert ledger("diff-env", "requirements.txt").code == 0
    assert ledger("diff-env").code == 2
    assert "no ledger here" in ledger("diff-env", "exp5").err
