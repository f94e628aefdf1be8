import struct
import zlib
from math import isnan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import LedgerError
from ledger.importers import wandb
from ledger.importers.wandb.container import BLOCK_BYTES, Damage, read_records
from ledger.importers.wandb.schema import record_class


@pytest.fixture(scope="module")
def file(written):
    (found,) = written("wandb").glob("wandb/offline-run-*/*.wandb")
    return found


@pytest.fixture(scope="module")
def data(file):
    content = file.read_bytes()
    assert len(content) > BLOCK_BYTES, "records must be split over blocks"
    return content


def test_an_offline_run_with_its_config_and_history(written, file):
    (run,) = wandb.read(written("wandb")).runs
    assert (run.experiment, run.outcome, run.title) == ("deft-monkey-8", "completed", "번역")
    assert run.key == file.stem.removeprefix("run-")
    assert run.params["batch_size"] == 96, "the value that was set last"
    assert run.params["learning_rate"] == 3e-4
    assert run.params["generation"] == {"num_beams": 5}
    assert [(p.step, p.value) for p in run.series["eval/bleu"]] == [(n, n / 2) for n in range(40)]
    assert len(run.series["loss"]) == 41
    assert isnan(run.series["loss"][-1].value), "NaN stays NaN"
    assert run.series["deep.er"][0].value == 1
    assert run.metrics["best_bleu"] == 33.03
    assert run.environment["python"]
    assert "wandb" in run.environment["packages"]
    assert run.facts["project"] == "mt"


def test_the_folder_above_and_the_file_itself_are_the_same_source(written, file):
    assert wandb.read(written("wandb")) == wandb.read(file.parent) == wandb.read(file)


def test_our_schema_reads_what_the_real_one_reads(data):
    real = pytest.importorskip("wandb.proto.wandb_internal_pb2")
    seen = set()
    for payload in read_records(data):
        ours, theirs = record_class()(), real.Record()
        ours.ParseFromString(payload)
        theirs.ParseFromString(payload)
        kind = theirs.WhichOneof("record_type")
        seen.add(kind)
        if kind == "history":
            assert [(list(i.nested_key), i.value_json) for i in ours.history.item] == [
                (list(i.nested_key), i.value_json) for i in theirs.history.item
            ]
        if kind == "run":
            assert ours.run.display_name == theirs.run.display_name
            assert ours.run.start_time.seconds == theirs.run.start_time.seconds > 0
        if kind == "exit":
            assert ours.exit.exit_code == theirs.exit.exit_code
    assert {"run", "config", "history", "summary", "environment", "exit"} <= seen


@settings(max_examples=150)
@given(st.data())
def test_any_prefix_yields_a_prefix_of_the_records(data, draw):
    full, damage = wandb.decode(data)
    assert not damage
    cut = draw.draw(st.integers(0, len(data)))
    try:
        records, _ = wandb.decode(data[:cut])
    except LedgerError:
        assert cut < 7
        return
    assert records == full[: len(records)]


def test_every_cut_inside_a_record_is_told(data):
    ends = {7}
    at = 7
    while at < BLOCK_BYTES - 7 and at + 7 <= len(data):
        at += 7 + struct.unpack_from("<IHB", data, at)[1]
        ends.add(at)
    for cut in range(8, 2000):
        _, problems = wandb.decode(data[:cut])
        assert bool(problems) is (cut not in ends), cut


@settings(max_examples=100)
@given(at=st.integers(7, 40_000), bit=st.integers(0, 7))
def test_a_flipped_bit_costs_records_and_is_told(data, at, bit):
    at = min(at, len(data) - 1)
    damaged = bytearray(data)
    damaged[at] ^= 1 << bit
    full, _ = wandb.decode(data)
    records, problems = wandb.decode(bytes(damaged))
    assert len(records) <= len(full)
    assert problems or records == full, "padding may change unseen"


def test_what_follows_a_damaged_block_is_read(data):
    damaged = bytearray(data)
    damaged[20] ^= 1
    records, problems = wandb.decode(bytes(damaged))
    assert records, "the next block begins anew"
    assert "checksum" in problems[0]


@settings(max_examples=200)
@given(st.binary(max_size=400))
def test_any_bytes_behind_the_header_are_read_or_told(rest):
    list(read_records(b":W&B\xe1\xbe\x00" + rest))
    wandb.decode(b":W&B\xe1\xbe\x00" + rest)


def test_a_sound_chunk_that_is_no_record_is_told():
    body = b"\xff\xff\xff"
    chunk = struct.pack("<IHB", zlib.crc32(b"\x01" + body), len(body), 1) + body
    records, problems = wandb.decode(b":W&B\xe1\xbe\x00" + chunk)
    assert (records, problems) == ([], ["a record is not in W&B's format"])
    (kept,) = read_records(b":W&B\xe1\xbe\x00" + chunk)
    assert not isinstance(kept, Damage)


@pytest.mark.parametrize("content", [b"", b":W&B", b"SQLite format 3\0", b":W&B\xe1\xbe\x01"])
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "run-x.wandb"
    path.write_bytes(content)
    with pytest.raises(LedgerError, match="not a W&B run file: its header"):
        wandb.read(path)


def test_a_run_that_was_cut_off_says_so(tmp_path, data):
    path = tmp_path / "run-abc.wandb"
    path.write_bytes(data[: len(data) // 2])
    claimed = wandb.read(path)
    assert claimed.runs[0].outcome is None
    assert claimed.runs[0].params
    assert any("was interrupted or is still running" in one for one in claimed.problems)


def test_a_folder_without_runs_is_refused(tmp_path):
    with pytest.raises(LedgerError, match="is not a W&B run"):
        wandb.read(tmp_path)
