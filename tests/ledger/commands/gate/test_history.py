"""What the gate makes of longer histories: entries that the journal itself wrote, in real git."""

import os

import pytest
from junitparser import JUnitXml

from guards.preflight import insufficient_disk
from ledger.commands.accept import accept
from ledger.commands.gate.context import Checked
from ledger.commands.gate.gate import Gate
from ledger.commands.gate.junit import write_junit
from ledger.commands.gate.lockfile_rehearsal import judge
from ledger.findings import Finding, Report, Severity
from ledger.git.history import Base
from ledger.journal.store import open_journal
from tests.gate_repository import LOST, Repository

FAILED = {"code": "TXT001", "severity": "error", "message": "3 of 10 lines repeat themselves"}


@pytest.fixture
def repo(tmp_path):
    made = Repository(tmp_path)
    made.record("exp5-1", output="five")
    made.commit()
    made.git("checkout", "-qb", "feature")
    return made


def test_a_pair_of_twins_on_one_branch_is_told_once_and_of_the_later(repo):
    repo.record("exp6-1", output="six")
    repo.record("exp7-1", output="six")
    ((code, _, message),) = repo.gate()[0]
    assert code == "DUP001"
    assert message.startswith("exp7-1")
    repo.accept("exp7-1", "DUP001")
    assert repo.found() == []


def test_a_twin_that_both_branches_made_is_told_whichever_is_older(repo):
    repo.record("exp6-1", output="six")
    repo.commit()
    repo.git("checkout", "-q", "main")
    repo.record("exp7-1", output="six")
    repo.commit()
    (repo.workspace.root / ".gitattributes").write_text("experiments/ledger.jsonl merge=union\n")
    repo.git("checkout", "-q", "feature")
    repo.git("merge", "-q", "main", "-m", "merge")
    ((code, _, message),) = repo.gate()[0]
    assert (code, message[:6]) == ("DUP001", "exp6-1")
    repo.accept("exp6-1", "DUP001")
    assert repo.found() == []


def test_a_repetition_is_no_twin(repo):
    repo.record("exp5-2", output="five")
    assert ("DUP001", "error") in repo.found(), "other inputs, and the same output"
    repo.accept("exp5-2", "DUP001")
    assert repo.found() == []


def test_what_was_open_in_the_base_is_a_warning_until_a_later_run_makes_it_good(repo):
    repo.git("checkout", "-q", "main")
    repo.record("exp4-1", output="four", findings=[FAILED])
    repo.commit()
    repo.git("checkout", "-qb", "later")
    assert repo.found() == [("GAT004", "warning")]
    repo.record("exp3-1", output="three", findings=[FAILED])
    assert repo.found() == [("GAT004", "error"), ("GAT004", "warning")]
    repo.record("exp3-2", output="three again")
    assert repo.found() == [("GAT004", "warning"), ("GAT004", "info")]
    repo.record("exp4-2", output="four again")
    assert repo.found() == [("GAT004", "info")]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (([18, 22], 20), ([10, 14], 12), [("GAT003", "error")]),
        (([18, 22], 20), ([17, 21], 19), [("GAT003", "info")]),
        ((None, 20), (None, 21), []),
    ],
)
def test_recorded_intervals_decide_where_the_outputs_are_gone(tmp_path, before, after, told):
    repo = Repository(tmp_path)
    repo.record("exp5-1", "old", before[1], interval=before[0])
    repo.commit()
    repo.git("checkout", "-qb", "feature")
    repo.record("exp5-2", "new", after[1], interval=after[0])
    assert repo.found() == told


def test_without_outputs_and_intervals_a_lower_score_is_a_skip(repo):
    repo.record("exp5-2", "new", 12)
    findings, skips = repo.gate()
    assert findings == []
    assert [code for code, _ in skips] == ["GAT003"]
    assert "exp5-2, bleu: 20.00 → 12.00" in skips[0][1]


SPEC = """
title: a generation
model: {name: org/model}
languages: {source: ko, target: ja}
data: {source: in.ko}
output: out.ja
status: planned
environment: %s
"""


UV_LOCK = """
version = 1
[[package]]
name = "mt"
source = {{ virtual = "." }}
dependencies = [{{ name = "tokenizers" }}]
[[package]]
name = "tokenizers"
version = "{}"
wheels = [{{ hash = "sha256:00" }}]
"""


def lock(root, path, version):
    (root / path).parent.mkdir(exist_ok=True)
    form = UV_LOCK if path.endswith(".lock") else "tokenizers=={}\n"
    (root / path).write_text(form.format(version))


@pytest.mark.parametrize("path", ["lockfiles/mt.txt", "envs/pinned.txt", "requirements.txt", "uv.lock"])
def test_a_lockfile_is_seen_to_change_wherever_a_spec_finds_it(repo, path):
    root = repo.workspace.root
    repo.git("checkout", "-q", "main")
    (root / "experiments" / "mine.yaml").write_text(SPEC % path)
    lock(root, path, "0.22")
    lock(root, "notes.txt", "0.22")
    repo.commit()
    repo.git("checkout", "-qb", "bump")
    lock(root, "notes.txt", "0.23")
    assert repo.gate() == ([], [])
    lock(root, path, "0.23")
    ((code, reason),) = repo.gate()[1]
    assert code == "GAT002"
    assert "tokenizers 0.22 → 0.23" in reason


def test_a_spec_that_turns_to_a_lockfile_elsewhere_is_seen(repo):
    root = repo.workspace.root
    repo.git("checkout", "-q", "main")
    (root / "experiments" / "mine.yaml").write_text(SPEC % "envs/old.txt")
    lock(root, "envs/old.txt", "0.22")
    lock(root, "envs/new.txt", "0.23")
    repo.commit()
    repo.git("checkout", "-qb", "bump")
    (root / "experiments" / "mine.yaml").write_text(SPEC % "envs/new.txt")
    assert "tokenizers 0.22 → 0.23" in repo.gate()[1][0][1]


def test_a_broken_journal_beside_a_changed_lockfile_is_told_by_its_code(repo):
    root = repo.workspace.root
    repo.git("checkout", "-q", "main")
    (root / "experiments" / "mine.yaml").write_text(SPEC % "mt")
    lock(root, "lockfiles/mt.txt", "0.22")
    repo.commit()
    repo.git("checkout", "-qb", "bump")
    lock(root, "lockfiles/mt.txt", "0.23")
    journal = repo.workspace.journal
    journal.write_bytes(b"[" + journal.read_bytes())
    codes = {code for code, severity in repo.found() if severity == "error"}
    assert "JRN007" in codes


def test_a_later_run_without_a_score_hides_none_that_fell(repo):
    repo.git("checkout", "-q", "main")
    repo.record("exp6-1", output="six", interval=[19.0, 21.0])
    repo.commit()
    repo.git("checkout", "-qb", "worse")
    repo.record("exp6-2", output="6b", bleu=10.0, interval=[9.0, 11.0])
    head = {"run": "exp6-3", "experiment": "exp6", "mode": "real"}
    journal = open_journal(repo.workspace, "real")
    journal.append("run.started", {**head, "inputs": "c", "spec": {}, "spec_digest": "c", "data": {}})
    journal.append("run.finished", {**head, "status": "finished", "verdict": "pass"})
    assert ("GAT003", "error") in repo.found()


def test_a_document_whose_name_is_no_text(repo):
    path = repo.workspace.root / os.fsdecode(b"R\xff.md")
    path.write_text("<!-- ledger: exp9 bleu -->3<!-- /ledger -->\n")
    (message,) = [message for code, _, message in repo.gate()[0] if code == "GAT005"]
    assert message.encode().startswith(b"R\\udcff.md:1 claims")


def test_what_xml_cannot_hold_is_shown_in_its_stead(tmp_path):
    for severity in (Severity.ERROR, Severity.INFO):
        report = Report((Finding("TXT001", severity, "\x1b[31m\x00 repeats"),))
        write_junit(Gate(Base("x", "main"), (Checked("findings", "1 run", report),)), tmp_path / "gate.xml")
        assert JUnitXml.fromfile(str(tmp_path / "gate.xml")).tests == 1


def test_a_disk_without_room_accuses_no_package():
    full = Finding(insufficient_disk.CODE, Severity.ERROR, "3 GB are free, 10 are needed")
    other = Finding("PRE001", Severity.ERROR, "ja is no code of this tokenizer")
    assert judge("mt", Report((full,)), None).unfinished == full.message
    assert judge("mt", Report((full, other)), None).problems == (f"PRE001 {other.message}",)


def test_a_checkpoint_that_fails_when_it_is_verified_later_is_an_open_finding(repo):
    repo.record("exp6-1", output="six")
    repo.verify("exp6-1", LOST, environment="sha256:another")
    assert repo.found() == [], "that another version cannot read it is no fault of the run"
    repo.verify("exp6-1", LOST)
    ((code, severity, message),) = repo.gate()[0]
    assert (code, severity) == ("GAT004", "error")
    assert "models/checkpoint-10 of exp6-1 has CKP003 open" in message
    accept(repo.workspace, "exp6-1", "CKP003", "it is not used")
    assert repo.found() == []


def test_of_a_checkpoint_the_newest_verification_counts_and_the_bases_is_a_warning(repo):
    repo.git("checkout", "-q", "main")
    repo.verify("exp5-1", LOST)
    repo.commit()
    repo.git("checkout", "-qb", "later")
    assert repo.found() == [("GAT004", "warning")]
    repo.verify("exp5-1")
    assert repo.found() == []


@pytest.mark.parametrize(("top", "written"), [(100, "33.03%"), (1, "3303%"), (None, "3303%")])
def test_a_percentage_is_read_on_the_scale_of_its_metric(repo, top, written):
    head = {"run": "exp6-1", "experiment": "exp6", "mode": "real"}
    journal = open_journal(repo.workspace, "real")
    journal.append("run.started", {**head, "inputs": "c", "spec": {}, "spec_digest": "c", "data": {}})
    metric = {"value": 33.03, "signature": "", "scale": [0, top]}
    journal.append(
        "run.finished", {**head, "status": "finished", "verdict": "pass", "metrics": {"x": metric}}
    )
    (repo.workspace.root / "R.md").write_text(f"<!-- ledger: exp6 x -->{written}<!-- /ledger -->\n")
    assert repo.found() == []
