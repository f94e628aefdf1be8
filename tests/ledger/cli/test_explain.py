import json
from pathlib import Path

import pytest

from guards.registry import by_code
from tests.command import run_ledger


def explain(*arguments):
    return run_ledger("explain", *arguments, cwd=Path.cwd())


def test_a_code_is_explained_in_full():
    shown = explain("DUP001")
    assert shown.returncode == 0
    assert shown.stdout.startswith("DUP001  the output is identical to another experiment's\n")
    for heading in ("What it means", "Why it matters", "What to do"):
        assert f"\n{heading}\n" in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 80


def test_the_case_of_a_code_does_not_matter():
    assert explain("dup001").stdout == explain("DUP001").stdout


@pytest.mark.parametrize("arguments", [[], ["--all"]])
def test_every_code_is_listed_with_its_title(arguments):
    rows = explain(*arguments).stdout.splitlines()
    assert [row.split()[0] for row in rows] == [*by_code()]


def test_json_of_one_code():
    document = json.loads(explain("PRE002", "--json").stdout)
    assert document["code"] == "PRE002"
    assert document["reads"] == "languages"
    assert all(document[key] for key in ("title", "means", "matters", "do"))


def test_json_of_all():
    document = json.loads(explain("--json").stdout)
    assert [row["code"] for row in document["guards"]] == [*by_code()]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["TXT01"], "did you mean TXT001"),
        (["nonsense"], "list all codes with: ledger explain"),
        (["DUP001", "--all"], "--all takes no CODE"),
    ],
)
def test_a_wrong_call_exits_2_with_one_message(arguments, words):
    shown = explain(*arguments)
    assert shown.returncode == 2
    assert shown.stdout == ""
    assert words in shown.stderr
    assert "Traceback" not in shown.stderr
