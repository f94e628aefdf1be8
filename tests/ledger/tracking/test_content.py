from pathlib import Path

import pytest

from ledger.journal.store import seal
from ledger.tracking import content
from ledger.tracking.content import Dataset, TrackedFile, TrackedTable, content_of

ROOT = Path("/repo")


def start(body):
    return content_of(seal("run.started", body, []), ROOT)


def finish(body, samples=None):
    return content_of(seal("run.finished", body, []), ROOT, samples)


@pytest.mark.parametrize(
    ("nested", "flat"),
    [
        ({}, {}),
        ({"a": 1, "b": {"c": None, "d": [1, "x"]}}, {"a": "1", "b.c": "null", "b.d": '[1, "x"]'}),
        ({"a": "5", "b": True, "c": 1e-5}, {"a": "5", "b": "true", "c": "1e-05"}),
        ({"a": {}, "언어": "한국어"}, {"a": "{}", "언어": "한국어"}),
    ],
)
def test_settings_are_flattened(nested, flat):
    assert content.flatten(nested) == flat


def test_a_started_run_becomes_its_tags_params_and_datasets(started_body):
    entry = seal("run.started", started_body(), [])
    found = content_of(entry, ROOT)
    assert (found.experiment, found.mode, found.starts, found.status) == ("exp7", "real", True, None)
    assert {
        "ledger.run": "exp7-3fa91c",
        "ledger.entry": entry.id,
        "ledger.mode": "real",
        "ledger.rehearsal": "false",
        "ledger.git_commit": "0123abc",
        "ledger.git_dirty": "true",
        "ledger.environment": "sha256:env",
    }.items() <= found.tags.items()
    assert found.params["generation.num_beams"] == "5"
    reference, source = found.datasets
    assert source == Dataset("dev.ko", "data/dev.ko", {"md5": "a" * 32, "sha256": "b" * 64}, "source")
    assert reference.role == "reference"


def test_times_are_those_of_the_entries():
    entry = seal("run.started", {"run": "a-1"}, [])
    entry.time = "1970-01-01T00:00:01.234Z"
    assert content_of(entry, ROOT).time == 1234


@pytest.mark.parametrize(
    ("change", "tag", "value"),
    [
        ({"git": None}, "ledger.git_dirty", None),
        ({"git": {"commit": "x", "branch": None, "changed": []}}, "ledger.git_dirty", "false"),
        ({"git": {"commit": None, "branch": None, "changed": []}}, "ledger.git_commit", None),
        ({"mode": "rehearsal"}, "ledger.rehearsal", "true"),
        ({"environment": None}, "ledger.environment", None),
    ],
)
def test_tags_of_a_start(started_body, change, tag, value):
    assert start({**started_body(), **change}).tags.get(tag) == value


def test_a_command_is_one_param_and_needs_no_spec_or_data():
    body = {"run": "cmd-1", "experiment": "cmd", "mode": "command", "command": ["echo", "a b"]}
    found = start(body)
    assert found.params == {"command": "echo 'a b'"}
    assert (found.datasets, found.metrics, found.files, found.tables) == ((), (), (), ())
    assert found.count == 2


def test_uncommitted_changes_are_a_file_of_the_start(started_body):
    patch = {"path": ".ledger/runs/exp7-3fa91c/uncommitted.patch", "sha256": "ab", "bytes": 3}
    found = start({**started_body(), "git": {"commit": "x", "changed": ["a.py"], "patch": patch}})
    assert found.files == (TrackedFile(ROOT / patch["path"], "ab"),)


def test_a_finished_run_becomes_its_metrics_tables_output_and_verdict(tmp_path, finished_body):
    output = tmp_path / "o.ja"
    output.write_text("出力\n")
    body = finished_body("exp7-3fa91c", "real", output)
    samples = TrackedTable("samples", ("line", "source", "output"), ((3, None, "出力"),))
    found = finish(body, samples)
    assert {point.name: point.value for point in found.metrics} == {
        "bleu": 25.3,
        "guard.TXT001": 0.12,
        "seconds": 61.5,
        "output_lines": 2.0,
    }
    assert found.params == {"effective.generation.max_length": "128"}
    assert found.files == (TrackedFile(ROOT / "o.ja", body["output"]["sha256"]),)
    assert samples in found.tables
    assert [table.name for table in found.tables] == ["samples", "findings"]
    assert (found.starts, found.status) == (False, "finished")
    assert found.tags["ledger.verdict"] == "fail"
    assert found.tags["ledger.findings"] == "TXT001"
    assert found.tags["ledger.signature.bleu"] == "nrefs:1|tok:ja-mecab"
    assert found.count == 9


def test_a_failed_run_needs_no_more_than_its_status():
    entry = seal(
        "run.finished",
        {
            "run": "a-1",
            "experiment": "a",
            "mode": "real",
            "status": "failed",
            "seconds": 1,
            "error": "disk full",
        },
        [],
    )
    found = content_of(entry, ROOT)
    assert [point.name for point in found.metrics] == ["seconds"]
    assert (found.status, found.params, found.files, found.tables) == ("failed", {}, (), ())
    assert found.tags == {"ledger.entry": entry.id, "ledger.error": "disk full"}


def test_digests_lose_their_prefix_where_bytes_are_compared():
    assert finish({"output": {"path": "/x", "sha256": "sha256:abc"}}).files == (
        TrackedFile(Path("/x"), "abc"),
    )


def test_an_output_folder_is_not_a_file_to_send():
    assert finish({"output": {"path": "runs/x/checkpoints"}}).files == ()


def test_an_imported_run_is_its_claims():
    claims = {
        "params": {"lr": 0.1},
        "metrics": {"bleu": 20.5, "loss": 1, "note": "?"},
        "series": {"loss": {}},
    }
    body = {
        "run": "a-1",
        "experiment": "a",
        "mode": "imported",
        "claims": claims,
        "source": {"path": "log.md"},
    }
    found = content_of(seal("run.imported", body, []), ROOT)
    assert (found.mode, found.starts, found.status) == ("imported", True, "finished")
    assert found.params == {"lr": "0.1"}
    assert {point.name: point.value for point in found.metrics} == {"bleu": 20.5}
    assert found.tags["ledger.source"] == "log.md"


def finding(code, measured=None, message="m", **evidence):
    return {
        "code": code,
        "severity": "warning",
        "message": message,
        "measured": measured,
        "evidence": evidence,
    }


@pytest.mark.parametrize("kind", ["run.finished", "run.imported"])
def test_what_a_guard_found_is_a_point_at_each_of_its_steps(kind):
    findings = [
        finding("TRN004", 9.5, "the loss is 40 at step 700", steps=[700, 710]),
        finding("TRN001", 48, first_step=3650, last_step=6000),
        finding("TRN002", "Infinity", step=90),
        finding("CKP007", None, "checkpoint-100: worse", step=100),
        finding("CKP007", None, "checkpoint-200: worse", step=200),
        finding("TXT001", 0.12),
        finding("CKP001"),
    ]
    body = {"run": "a-1", "experiment": "a", "report": {"findings": findings, "skips": [], "passed": []}}
    found = content_of(seal(kind, body, []), ROOT)
    assert [(point.name, point.step, point.value) for point in found.metrics] == [
        ("guard.TRN004", 700, 9.5),
        ("guard.TRN004", 710, 9.5),
        ("guard.TRN001", 3650, 48.0),
        ("guard.TRN002", 90, 1.0),
        ("guard.CKP007", 100, 1.0),
        ("guard.CKP007", 200, 1.0),
        ("guard.TXT001", 0, 0.12),
    ]
    assert found.tags["ledger.findings"] == "CKP001 CKP007 TRN001 TRN002 TRN004 TXT001"
    marks = {name: text for name, text in found.tags.items() if name.startswith("ledger.guard.")}
    assert marks == {
        "ledger.guard.TRN004": "step 700, 710: warning: the loss is 40 at step 700",
        "ledger.guard.TRN001": "step 3,650: warning: m",
        "ledger.guard.TRN002": "step 90: warning: m",
        "ledger.guard.CKP007": "step 100: warning: checkpoint-100: worse\n"
        "step 200: warning: checkpoint-200: worse",
    }
    assert [table.name for table in found.tables] == ["findings"]
