import errno

import pytest

from ledger.journal.store import open_journal


def test_each_valid_journal_is_reported_in_one_line(recorded, ledger):
    answer = ledger("fsck")
    assert answer.code == 0
    assert answer.out.splitlines() == [
        "experiments/ledger.jsonl: 7 entries, 3 runs: nothing changed, lost or moved",
        ".ledger/rehearsals.jsonl: 0 entries, 0 runs: nothing changed, lost or moved",
    ]


def test_an_edited_number_is_named_and_fails(recorded, ledger):
    recorded.journal.write_text(recorded.journal.read_text().replace('"value":22.4', '"value":32.4', 1))
    answer = ledger("fsck")
    assert answer.code == 1
    assert answer.out.splitlines()[0] == "experiments/ledger.jsonl: first bad entry: line 3 (JRN001)"
    document = ledger("fsck", "--json").document
    assert document["verdict"] == "fail"
    assert [(f["code"], f["evidence"]["line"]) for f in document["findings"]] == [("JRN001", 3)]
    assert document["journals"][0]["first_bad"]["line"] == 3
    assert document["journals"][0]["runs"] is None
    assert document["journals"][1]["verdict"] == "pass"
    assert document["passed"] == ["JRN002", "JRN003", "JRN004", "JRN005", "JRN006"]


def test_the_first_of_several_problems_is_the_first_in_the_file(recorded, ledger):
    lines = recorded.journal.read_bytes().splitlines(keepends=True)
    recorded.journal.write_bytes(
        b"".join([*lines[:2], b"x\n", *lines[3:6], lines[6].replace(b"minji", b"other")])
    )
    assert ledger("fsck", "--json").document["journals"][0]["first_bad"]["line"] == 3


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"v":1}', b'"v":1.0}'),
        (b'"v":1}', b'"v":1e0}'),
        (b'"kind":"run.finished"', b'"kind":"run.f\\u0069nished"'),
        (b'{"body":{', b'{"body": {'),
        (b'"v":1}', b'"v":1} '),
        (b'"exit_code":null,', b'"exit_code":null,"exit_code":null,'),
    ],
)
def test_a_line_in_another_form_is_named_where_the_hint_of_other_commands_leads(
    recorded, ledger, before, after
):
    lines = recorded.journal.read_bytes().splitlines(keepends=True)
    assert before in lines[2]
    recorded.journal.write_bytes(b"".join([*lines[:2], lines[2].replace(before, after), *lines[3:]]))
    logged = ledger("log")
    assert logged.code == 0 or (logged.code == 3 and "line 3 " in logged.err and "ledger fsck" in logged.err)
    document = ledger("fsck", "--json").document
    assert document["verdict"] == "fail"
    assert ("JRN001", 3) in [(f["code"], f["evidence"]["line"]) for f in document["findings"]]


@pytest.mark.parametrize(
    "change",
    [{"report": "good"}, {"metrics": {"bleu": 22.4}}, {"seconds": "long"}, {"output": ["a.ja"]}],
    ids=str,
)
def test_a_member_of_the_wrong_type_is_an_error_and_no_bug(recorded, ledger, change):
    journal = open_journal(recorded, "real")
    finished = next(one for one in journal.entries() if one.kind == "run.finished")
    journal.append("run.finished", {**finished.body, **change})
    for arguments in (("log",), ("show", finished.body["run"]), ("report", "--out", "r.html"), ("ps",)):
        answer = ledger(*arguments)
        assert (answer.code, "line 8 of the journal, run.finished: ." in answer.err) == (3, True)
        assert "ledger fsck" in answer.err
    answer = ledger("fsck")
    assert answer.code == 1
    assert answer.out.splitlines()[0] == "experiments/ledger.jsonl: first bad entry: line 8 (JRN001)"


def test_the_journal_of_rehearsals_is_checked_too(recorded, ledger):
    journal = open_journal(recorded, "rehearsal")
    journal.append("run.started", {"run": "exp7-aaaaaa", "experiment": "exp7", "mode": "rehearsal"})
    assert ledger("fsck").code == 0
    journal.path.unlink()
    answer = ledger("fsck")
    assert answer.code == 1
    assert ".ledger/rehearsals.jsonl: first bad entry: line 1 (JRN002)" in answer.out


def test_a_torn_tail_is_a_warning(recorded, ledger):
    with recorded.journal.open("ab") as file:
        file.write(b'{"body":{"run"')
    answer = ledger("fsck")
    assert answer.code == 0
    assert "JRN005" in answer.out
    assert ledger("log").code == 0


@pytest.mark.parametrize(
    "data", [b"\xff\xfe\n", b"\n", "번역\n".encode("euc-kr"), b"[" * 100_000 + b"\n", b"\0" * 10]
)
def test_garbage_is_reported_without_a_traceback(recorded, ledger, data):
    recorded.journal.write_bytes(data * 2)
    answer = ledger("fsck")
    assert answer.code in (0, 1)
    assert "line 1" in answer.out or "line 2" in answer.out
    assert answer.err == ""


def test_outside_a_workspace_the_error_says_so(tmp_path, monkeypatch, ledger):
    monkeypatch.chdir(tmp_path)
    answer = ledger("fsck")
    assert answer.code == 2
    assert "ledger init" in answer.err


def test_where_git_cannot_be_read_the_check_is_not_conclusive(recorded, ledger, monkeypatch):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    answer = ledger("fsck")
    assert answer.code == 3
    assert "7 entries, 3 runs: not wholly checked" in answer.out
    assert "what was committed is not known" in answer.out
    assert ledger("gate").code == 3


FORMS = {
    "crlf": lambda data: data.replace(b"\n", b"\r\n"),
    "cr": lambda data: data.replace(b"\n", b"\r"),
    "bom": lambda data: b"\xef\xbb\xbf" + data,
    "bom and crlf": lambda data: b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n"),
    "utf-16": lambda data: data.decode().encode("utf-16"),
    "no newline, crlf": lambda data: data.rstrip(b"\n").replace(b"\n", b"\r\n"),
}


@pytest.mark.parametrize("form", FORMS)
def test_another_form_of_the_whole_file_is_named_and_restored(recorded, ledger, form):
    before = recorded.journal.read_bytes()
    recorded.journal.write_bytes(FORMS[form](before))
    for call in (["fsck"], ["log"], ["note", "exp5", "x"], ["show", "exp5"]):
        answer = ledger(*call)
        assert answer.code == 3
        assert "fsck --repair" in answer.err
    assert recorded.journal.read_bytes() == FORMS[form](before)
    assert ledger("fsck", "--repair").code == 0
    assert recorded.journal.read_bytes() == before


def test_a_repository_that_cannot_be_written_is_read_without_a_lock(recorded, ledger, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EROFS, "Read-only file system", "ledger.lock")

    monkeypatch.setattr("filelock.FileLock.acquire", refuse)
    for call in (["fsck"], ["log"], ["show", "exp5"]):
        assert ledger(*call).code == 0
    assert ledger("note", "exp5", "x").code == 3
