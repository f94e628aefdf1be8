import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.evidence.text import LineSample
from ledger.tracking import events
from ledger.tracking.events import Artifact, Dataset, Finish, MetricPoint, Params, Start, TableEvent
from ledger.tracking.spool import encode


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
    assert events.flatten(nested) == flat


def test_a_started_run_becomes_its_tags_params_and_datasets(started_body):
    start, params, source, reference = events.start_events(started_body(), "sha256:e1", now=5)
    assert start == Start("exp7", "real", 5, start.tags)
    assert {
        "ledger.run": "exp7-3fa91c",
        "ledger.entry": "sha256:e1",
        "ledger.mode": "real",
        "ledger.rehearsal": "false",
        "ledger.git_commit": "0123abc",
        "ledger.git_dirty": "true",
        "ledger.environment": "sha256:env",
    }.items() <= start.tags.items()
    assert params.values["generation.num_beams"] == "5"
    assert source == Dataset("dev.ko", "data/dev.ko", {"md5": "a" * 32, "sha256": "b" * 64}, "source")
    assert reference.role == "reference"


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
    start = events.start_events({**started_body(), **change}, "sha256:e1", now=5)[0]
    assert start.tags.get(tag) == value


def test_a_command_is_one_param_and_needs_no_spec_or_data():
    body = {"run": "cmd-1", "experiment": "cmd", "mode": "command", "command": ["echo", "a b"]}
    assert events.start_events(body, "sha256:e1", now=5)[1:] == [Params({"command": "echo 'a b'"})]


def test_a_finished_run_becomes_its_metrics_tables_output_and_verdict(tmp_path, finished_body):
    output = tmp_path / "o.ja"
    output.write_text("出力\n")
    body = finished_body("exp7-3fa91c", "real", output)
    sample = LineSample(3, "出力", None)
    found = events.finish_events(body, "sha256:e2", 9, samples=[sample], artifact=output)
    metrics = {event.name: event.value for event in found if isinstance(event, MetricPoint)}
    assert metrics == {"bleu": 25.3, "guard.TXT001": 0.12, "seconds": 61.5, "output_lines": 2.0}
    assert Params({"effective.generation.max_length": "128"}) in found
    assert Artifact(str(output), sha256=body["output"]["sha256"]) in found
    assert TableEvent("samples", ("line", "source", "output"), ((3, None, "出力"),)) in found
    assert [event.name for event in found if isinstance(event, TableEvent)] == ["samples", "findings"]
    assert found[-1].status == "finished"
    assert found[-1].tags["ledger.verdict"] == "fail"
    assert found[-1].tags["ledger.findings"] == "TXT001"
    assert found[-1].tags["ledger.signature.bleu"] == "nrefs:1|tok:ja-mecab"


def test_a_failed_run_needs_no_more_than_its_status():
    body = {
        "run": "a-1",
        "experiment": "a",
        "mode": "real",
        "status": "failed",
        "seconds": 1,
        "error": "disk full",
    }
    *rest, finish = events.finish_events(body, "sha256:e2", 9)
    assert [event.name for event in rest] == ["seconds"]
    assert finish == Finish("failed", 9, {"ledger.entry": "sha256:e2", "ledger.error": "disk full"})


def test_digests_lose_their_prefix_where_bytes_are_compared():
    body = {"status": "finished", "output": {"sha256": "sha256:abc"}}
    artifact = events.finish_events(body, "e", 9, artifact=Path("/x"))[0]
    assert artifact == Artifact("/x", sha256="abc")


texts = st.text(st.characters(codec="utf-8"), max_size=20)
numbers = st.floats() | st.integers(-(2**60), 2**60).map(float)


@settings(deadline=None)  # the first one imports MLflow
@given(
    st.builds(MetricPoint, texts, numbers, st.integers(0, 2**50), st.integers(0, 2**50))
    | st.builds(Params, st.dictionaries(texts, texts, max_size=4))
    | st.builds(Finish, st.sampled_from(["finished", "failed"]), st.integers(0, 2**50))
    | st.builds(
        TableEvent, texts, st.tuples(texts), st.lists(st.tuples(texts | st.none()), max_size=3).map(tuple)
    )
)
def test_an_event_comes_back_from_its_line(event):
    from ledger.tracking.upload import EVENTS

    line = encode(event)
    assert line.count(b"\n") == 1
    back = EVENTS.validate_json(line)
    if isinstance(event, MetricPoint) and math.isnan(event.value):
        assert math.isnan(back.value)
    else:
        assert back == event
