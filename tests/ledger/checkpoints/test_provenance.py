import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guards.checkpoint import CLAIMS, LINEAGE
from guards.guard import inspect
from ledger.checkpoints.provenance import (
    PROGRESS,
    claims_of,
    origin_of_checkpoint,
    origin_of_run,
    step_in_name,
    tokenizer_digest,
)
from ledger.evidence import Evidence
from ledger.evidence.provenance import Measured, Origin, ScoreClaim
from ledger.evidence.snapshot import Snapshot
from ledger.findings import Verdict
from ledger.importers.trainer_state import read_trainer_state
from ledger.journal.run import Run

RUN = Run("exp10-3fa91c", "exp10", "real", "2026-11-20T06:15:30.123Z", "failed", {}, None)
BASE = {"source.spm": b"pieces", "vocab.json": b'{"</s>": 0}', "model.safetensors": b"weights"}


@pytest.fixture
def checkpoint(tmp_path):
    """Make a checkpoint folder from file contents; what is no bytes is written as JSON."""

    def make(name="checkpoint-784", **files):
        folder = tmp_path / name
        folder.mkdir()
        state = {"trainer_state.json": files["state"]} if "state" in files else {}
        for file, content in (BASE | state).items():
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            (folder / file).write_bytes(data)
        return folder

    return make


def finished(**body):
    return replace(RUN, status="finished", finished={"status": "finished", **body})


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("checkpoint-784", 784),
        ("runs/checkpoint-6000", 6000),
        ("checkpoint-784-copy", 784),
        ("epoch=3-step=1200.ckpt", 1200),
        ("step=1200.ckpt", 1200),
        ("checkpoint-best", None),
        ("old-checkpoint-12", None),
        ("checkpoint-7a", None),
        ("final", None),
        ("substep=3", None),
        (f"checkpoint-{'9' * 400}", None),
    ],
)
def test_the_step_in_a_name(name, step):
    assert step_in_name(Path(name)) == step


def test_the_name_of_the_folder_one_stands_in_counts(checkpoint, monkeypatch):
    monkeypatch.chdir(checkpoint())
    assert step_in_name(Path()) == 784


def test_what_a_checkpoint_says_of_itself(checkpoint):
    folder = checkpoint(state={"global_step": 700, "log_history": []})
    os.utime(folder / "model.safetensors", (1_795_000_000, 1_795_000_000))
    origin = origin_of_checkpoint(folder)
    assert (origin.folder_step, origin.state_step, origin.unreadable) == (784, 700, None)
    assert origin.written == datetime.fromtimestamp(1_795_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert origin.tokenizer_digest == tokenizer_digest(folder)
    assert (origin.run, origin.step, origin.environment) == (None, None, None)


def test_what_the_evidence_of_the_save_says_stays(checkpoint):
    told = Origin(run="exp10-3fa91c", step=784, environment="sha256:mt", written="2026-11-20T09:00:00.000Z")
    origin = origin_of_checkpoint(checkpoint(), Snapshot(origin=told))
    assert (origin.run, origin.step, origin.environment, origin.written) == (
        told.run,
        told.step,
        told.environment,
        told.written,
    )


def test_the_tokenizer_is_the_one_in_the_folder_whatever_the_evidence_says(checkpoint):
    evidence = Snapshot(origin=Origin(tokenizer_digest="sha256:another"))
    assert origin_of_checkpoint(checkpoint(), evidence).tokenizer_digest != "sha256:another"


def test_an_empty_folder_tells_nothing(tmp_path):
    assert origin_of_checkpoint(tmp_path) == Origin()
    assert origin_of_checkpoint(tmp_path / "nowhere") == Origin()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b" \n", "it is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "it is a Git LFS pointer"),
        (b'{"global_step": 78', "it is not JSON"),
        (b"\xff\xfe\x00", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b"[1, 2]", "it is not a JSON object"),
        (b"{}", "global_step is missing"),
        (b'{"global_step": true}', "global_step is True"),
        (b'{"global_step": "784"}', "global_step is '784'"),
        (b'{"global_step": -1}', "global_step is -1"),
        (b'{"global_step": 1' + b"0" * 400 + b"}", "global_step is 1000"),
        (b'{"global_step": 784, "log_history": {}}', "log_history is not a list of rows"),
        (b'{"global_step": 784, "log_history": [1]}', "log_history is not a list of rows"),
    ],
)
def test_a_malformed_trainer_state_is_told(checkpoint, content, told):
    folder = checkpoint(state=content)
    origin = origin_of_checkpoint(folder)
    assert origin.unreadable.startswith(told)
    assert len(origin.unreadable) < 200
    assert origin.state_step is None
    assert claims_of(folder, {}).claims == ()


def test_a_trainer_state_that_is_a_folder_is_told(tmp_path):
    (tmp_path / "trainer_state.json").mkdir()
    assert origin_of_checkpoint(tmp_path).unreadable == "it is not a file"


@given(content=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_content_of_a_trainer_state_raises(tmp_path_factory, content):
    folder = tmp_path_factory.getbasetemp() / "checkpoint-1"
    folder.mkdir(exist_ok=True)
    (folder / "trainer_state.json").write_bytes(content)
    assert read_trainer_state(folder).problem


def test_nan_as_the_trainer_writes_it_is_read(checkpoint):
    log = [{"step": 784, "loss": float("nan"), "eval_bleu": 12.5, "grad_norm": float("inf")}]
    folder = checkpoint(state={"global_step": 784, "log_history": log, "best_metric": float("nan")})
    assert [claim.value for claim in claims_of(folder, {}).claims] == [12.5]


def test_the_vocabulary_s_digest_covers_the_vocabulary(checkpoint):
    one, two = checkpoint("one"), checkpoint("two")
    (two / "model.safetensors").write_bytes(b"other weights")
    (two / "tokenizer_config.json").write_bytes(b"{}")
    assert tokenizer_digest(one) == tokenizer_digest(two)
    (two / "source.spm").write_bytes(b"other pieces")
    assert tokenizer_digest(one) != tokenizer_digest(two)


def test_the_padding_that_a_fast_tokenizer_used_last_does_not_count(checkpoint):
    folder = checkpoint()
    path = folder / "tokenizer.json"
    digests = []
    for padding, model in ((None, ["a", "b"]), ({"length": 32}, ["a", "b"]), (None, ["b", "a"])):
        path.write_text(json.dumps({"padding": padding, "model": {"vocab": model}, "added_tokens": []}))
        digests.append(tokenizer_digest(folder))
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"model"'])
def test_a_malformed_tokenizer_still_has_a_digest(checkpoint, content):
    folder = checkpoint()
    before = tokenizer_digest(folder)
    (folder / "tokenizer.json").write_bytes(content)
    assert tokenizer_digest(folder) not in {None, before}


def test_a_folder_without_a_vocabulary_has_no_digest(tmp_path):
    assert tokenizer_digest(tmp_path) is None


@pytest.mark.parametrize(
    ("run", "progress", "last_step"),
    [
        (finished(last_step=784), None, 784),
        (finished(last_step=784), b'{"step": 780}', 784),
        (RUN, b'{"step": 784}', 784),
        (replace(RUN, status="interrupted"), b'{"step": 784, "loss": 1.5}', 784),
        (replace(RUN, status="running"), b'{"step": 784}', None),
        (RUN, None, None),
        (RUN, b'{"step": 78', None),
        (RUN, b'{"step": true}', None),
        (RUN, b"[784]", None),
        (finished(last_step="many"), b'{"step": -1}', None),
    ],
)
def test_the_last_step_of_a_run(tmp_path, run, progress, last_step):
    if progress is not None:
        (tmp_path / PROGRESS).write_bytes(progress)
    assert origin_of_run(run, tmp_path).last_step == last_step


def test_what_the_record_has_on_a_run(tmp_path):
    started = {"environment": "sha256:mt", "tokenizer_digest": "sha256:vocabulary"}
    assert origin_of_run(replace(RUN, started=started), tmp_path) == Origin(
        run=RUN.id, started=RUN.time, environment="sha256:mt", tokenizer_digest="sha256:vocabulary"
    )


def test_the_vocabulary_that_was_saved_counts_before_the_planned_one(tmp_path):
    run = replace(finished(tokenizer_digest="sha256:saved"), started={"tokenizer_digest": "sha256:planned"})
    assert origin_of_run(run, tmp_path).tokenizer_digest == "sha256:saved"


def test_claims_of_the_command_line_and_of_the_checkpoint_s_own_step(checkpoint):
    log = [
        {"step": 500, "eval_bleu": 9.0},
        {"step": 784, "loss": 2.5},
        {"step": 784, "eval_bleu": 12.5, "eval_ja_chrF": 30, "eval_bleu_precision": 1.0, "eval_loss": 2.0},
    ]
    folder = checkpoint(state={"global_step": 784, "log_history": log})
    assert claims_of(folder, {"BLEU": 98.2}).claims == (
        ScoreClaim("bleu", 98.2, "--claim"),
        ScoreClaim("bleu", 12.5, "trainer_state.json, eval_bleu at step 784"),
        ScoreClaim("chrf", 30.0, "trainer_state.json, eval_ja_chrF at step 784"),
    )


@pytest.mark.parametrize(
    ("best", "where", "claims"),
    [
        (9.0, "out/checkpoint-784", [9.0]),
        (9.0, "out/checkpoint-500", []),  # the best one is another checkpoint
        (2.0, "out/checkpoint-784", []),  # the best loss is no BLEU
        (True, "out/checkpoint-784", []),
        (9.0, None, []),
    ],
)
def test_best_metric_is_a_claim_where_it_is_a_bleu_of_this_checkpoint(checkpoint, best, where, claims):
    log = [{"step": 500, "eval_bleu": 9.0, "eval_loss": 2.0}]
    state = {"global_step": 784, "log_history": log, "best_metric": best, "best_model_checkpoint": where}
    assert [claim.value for claim in claims_of(checkpoint(state=state), {}).claims] == claims


def test_a_long_log_is_read(checkpoint):
    log = [{"step": step, "loss": 1.0, "learning_rate": 1e-4} for step in range(100_000)]
    state = {"global_step": 784, "log_history": [*log, {"step": 784, "eval_bleu": 12.5}]}
    assert len(claims_of(checkpoint(state=state), {}).claims) == 1


def test_earlier_scores_are_brought_to_100(checkpoint):
    metrics = [
        {"bleu": {"value": 33.03, "signature": "tok:13a", "scale": [0.0, 100.0]}},
        {
            "bleu": {"value": 0.25, "signature": "tok:13a", "scale": [0.0, 1.0]},
            "token_ratio": {"scale": [0, None]},
        },
    ]
    runs = [*(finished(metrics=one) for one in metrics), RUN]
    assert claims_of(checkpoint(), {}, runs).earlier == {"bleu": (33.03, 25.0)}


def test_the_log_s_own_case(checkpoint, tmp_path):
    """A run that crashed at step 784, "its" checkpoint-6000, and a BLEU of 0.22 that may have been 22%."""
    (tmp_path / PROGRESS).write_bytes(b'{"step": 784}')
    log = [{"step": 6000, "eval_bleu": 0.22}]
    folder = checkpoint("checkpoint-6000", state={"global_step": 6000, "log_history": log})
    os.utime(folder / "model.safetensors", (1_790_000_000, 1_790_000_000))
    good = finished(metrics={"bleu": {"value": 33.03, "signature": "tok:ko-mecab", "scale": [0.0, 100.0]}})
    expected = Evidence(origin_of_run(RUN, tmp_path), claims_of(folder, {}, [good]))
    actual = Evidence(origin_of_checkpoint(folder), Measured())
    report = inspect((*LINEAGE, *CLAIMS), expected, actual)
    found = {finding.code: finding.message for finding in report.findings}
    assert report.verdict is Verdict.FAIL
    assert report.failing == {"CKP012", "CKP013"}
    assert found.keys() == {"CKP012", "CKP013", "CKP016", "CKP017"}
    assert "step 6,000" in found["CKP012"]
    assert "ended at step 784" in found["CKP012"]
    assert "the same pipeline recorded 33.03 on 0-100" in found["CKP016"]
    assert "eval_bleu at step 6,000" in found["CKP017"]
