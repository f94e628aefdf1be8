"""`ledger export`: each format is read back by its own library."""

import json

import pytest
import yaml
from dockerfile_parse import DockerfileParser
from google.protobuf.json_format import ParseDict
from huggingface_hub import ModelCard
from huggingface_hub.repocard_data import model_index_to_eval_results
from in_toto_attestation.predicates.test_result.v0.test_result_pb2 import TestResult
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as StatementMessage

from ledger.journal.store import open_journal


@pytest.fixture
def trained(recorded):
    """A training with a verified checkpoint, run with an uncommitted change and an override."""
    head = {"run": "exp10-000001", "experiment": "exp10", "mode": "real"}
    journal = open_journal(recorded, "real")
    git = {"commit": "a" * 40, "branch": "main", "changed": ["train.py"]}
    spec = {"environment": "mt-5.0.0", "languages": {"source": "ko", "target": "ja"}}
    data = {"train": {"path": "data/train.tsv", "sha256": "1" * 64, "lines": 9}, "validation": None}
    begun = {"spec": spec, "git": git, "data": data, "overrides": ["training.seed=7"]}
    journal.append("run.started", {**head, **begun})
    verified = {
        "run": head["run"],
        "checkpoint": "out/checkpoint-40",
        "verdict": "pass",
        "files": f"sha256:{'2' * 64}",
        "report": {"findings": [], "skips": [], "passed": ["CKP001"]},
    }
    journal.append("checkpoint.verified", verified)
    journal.append("checkpoint.verified", {**verified, "checkpoint": "out/checkpoint-80", "verdict": "fail"})
    report = {"findings": [], "skips": [], "passed": ["CKP001"]}
    journal.append("run.finished", {**head, "status": "finished", "verdict": "pass", "report": report})
    return recorded


def statement(text: str) -> StatementMessage:
    message = ParseDict(
        json.loads(text), StatementMessage()
    )  # raises on a field that the format does not have
    Statement.copy_from_pb(message).validate()
    return message


def test_in_toto_attests_the_output_by_its_digest(recorded, ledger):
    answer = ledger("export", "exp5", "--format", "in-toto")
    assert answer.code == 0, answer.err
    message = statement(answer.out)
    [subject] = message.subject
    assert len(subject.digest["sha256"]) == 64
    assert subject.annotations["run"] == "exp5-0b77de"
    result = ParseDict(json.loads(answer.out)["predicate"], TestResult())
    assert result.result in ("PASSED", "WARNED")


def test_an_accepted_finding_is_a_warning(recorded, ledger):
    message = statement(ledger("export", "exp7", "--format", "in-toto").out)
    assert list(message.predicate["warnedTests"]) == ["TXT003"]
    assert message.predicate["result"] == "PASSED"


def test_the_subject_of_a_training_is_its_newest_verified_checkpoint(trained, ledger):
    [subject] = statement(ledger("export", "exp10", "--format", "in-toto").out).subject
    assert (subject.name, subject.digest["sha256"]) == ("out/checkpoint-40", "2" * 64)


def test_a_model_card_holds_the_scores_with_their_signatures(recorded, ledger):
    text = ledger("export", "exp7", "--format", "model-card").out
    card = ModelCard(text)
    index = yaml.safe_load(text.split("---")[1])["model-index"]
    name, results = model_index_to_eval_results(index)
    assert name == "exp7"
    assert [one.metric_type for one in results] == ["bleu"]
    assert all(one.metric_args["signature"].startswith("nrefs:1") for one in results)
    assert card.data.pipeline_tag == "translation"


def test_a_rehearsal_makes_no_model_card(recorded, ledger):
    head = {"run": "exp7-aaaaaa", "experiment": "exp7", "mode": "rehearsal"}
    for kind, body in (("run.started", {}), ("run.finished", {"status": "finished", "verdict": "pass"})):
        open_journal(recorded, "rehearsal").append(kind, {**head, **body})
    answer = ledger("export", "exp7-aaaaaa", "--format", "model-card")
    assert (answer.code, "is a rehearsal" in answer.err) == (3, True)


def test_a_dockerfile_checks_the_commit_out_and_builds_the_environment(trained, ledger, tmp_path):
    text = ledger("export", "exp10", "--format", "docker").out
    parsed = DockerfileParser(path=str(tmp_path), cache_content=True)
    parsed.content = text
    assert parsed.baseimage == "python:3.11-slim"
    steps = {one["instruction"]: one["value"] for one in parsed.structure if one["instruction"] != "COMMENT"}
    runs = [one["value"] for one in parsed.structure if one["instruction"] == "RUN"]
    assert f"git checkout --force --detach {'a' * 40}" in runs
    assert "ledger env build mt-5.0.0" in runs
    assert json.loads(steps["CMD"]) == ["ledger", "run", "exp10", "--set=training.seed=7", "--again"]
    assert "# NOT in this image: 1 uncommitted change of the run: train.py" in text
    assert '-v "$PWD/data:/repository/data"' in text


def test_markdown_includes_notes_and_decisions(recorded, ledger):
    ledger("note", "exp7", "a | b <script>")
    text = ledger("export", "exp7", "--format", "markdown").out
    assert text.startswith("## exp7-3fa91c")
    assert "a \\| b &lt;script>" in text
    assert "| TXT003 | accepted: names stay in Latin script in this domain |" in text


def test_a_file_is_written_atomically_and_json_holds_the_text(recorded, ledger):
    assert ledger("export", "exp7", "--format", "markdown", "--out", "exp7.md").out == ""
    document = ledger("export", "exp7", "--format", "markdown", "--json").document
    assert (recorded.root / "exp7.md").read_text(encoding="utf-8") == document["text"] + "\n"


@pytest.mark.parametrize(
    ("run", "kind", "says"),
    [
        ("exp6", "in-toto", "has not finished: it is interrupted"),
        ("cmd", "in-toto", "has no output with a digest"),
        ("cmd", "docker", "was not run from a commit"),
    ],
)
def test_what_a_format_needs_is_named(recorded, ledger, run, kind, says):
    head = {"run": "cmd-000001", "experiment": "cmd", "mode": "command"}
    for entry, body in (("run.started", {"command": ["true"]}), ("run.finished", {"status": "finished"})):
        open_journal(recorded, "real").append(entry, {**head, **body})
    answer = ledger("export", run, "--format", kind)
    assert (answer.code, says in answer.err) == (3, True), answer.err


def test_a_model_card_publishes_no_sample_and_no_unsigned_score(recorded, ledger):
    head = {"run": "exp10-000002", "experiment": "exp10", "mode": "real"}
    journal = open_journal(recorded, "real")
    journal.append("run.started", {**head, "spec": {"languages": {"source": "ko", "target": "ja"}}})
    row = {"step": 40, "path": "out/checkpoint-40", "verdict": "pass"}
    metrics = {"bleu": {"value": 98.2, "signature": "nrefs:1"}, "eval_bleu": {"value": 4.59}}
    done = {"status": "finished", "verdict": "pass", "checkpoints": [row], "metrics": metrics}
    journal.append("run.finished", {**head, **done})
    card = ModelCard(ledger("export", "exp10-000002", "--format", "model-card").out)
    assert card.data.eval_results is None
    assert "98.2" not in str(card)
