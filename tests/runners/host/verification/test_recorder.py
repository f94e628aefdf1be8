"""Looking at a model in training changes nothing about the training."""

import random
import sys
import threading
import time
from pathlib import Path

import numpy
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from checkpoints import CODES

from ledger.checkpoints.stored_evidence import read_evidence
from runners.worker.evidence.eval_context import eval_context
from runners.worker.evidence.probe_inputs import ProbeLanguages, ProbeText, draw, probe_batch
from runners.worker.evidence.recorder import EvidenceRecorder
from runners.worker.models.families import FAMILIES, load_model, load_tokenizer


@pytest.fixture(scope="module")
def base(healthy):
    return str(healthy["marian"].parent / "base")


@pytest.fixture
def model(base):
    model, _ = load_model(FAMILIES["marian"], base, "float32", "cpu")
    model.config.dropout = 0.1
    for module in model.modules():
        if hasattr(module, "dropout"):
            module.dropout = 0.1
    return model.train()


@pytest.fixture
def witness(base, lines):
    text = ProbeText(tuple(line[0] for line in lines), tuple(line[1] for line in lines))
    return EvidenceRecorder(
        load_tokenizer(FAMILIES["marian"], base), text, ProbeLanguages(*CODES["marian"], "ja")
    )


def train(model, look):
    """Three steps with dropout; the weights afterwards."""
    torch.manual_seed(1)
    random.seed(1)
    numpy.random.seed(1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(3):
        ids = torch.randint(5, 100, (4, 6))
        model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        look(step)
    drawn = (random.random(), float(numpy.random.rand()), float(torch.rand(())))
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}, drawn


def test_training_goes_on_bit_by_bit_as_without(base, model, witness):
    import copy

    seen = []
    twin = copy.deepcopy(model)
    watched, drawn = train(model, lambda step: seen.append(witness.observe(model, step)))
    alone, drawn_alone = train(twin, lambda _step: None)
    assert all(torch.equal(watched[name], alone[name]) for name in alone)
    assert drawn == drawn_alone
    assert len({one.snapshot["forward"]["loss"] for one in seen}) == 3
    assert not any(one.snapshot["unseen"] for one in seen)


def test_keeping_beside_the_training_changes_nothing_either(model, witness, tmp_path):
    import copy

    told, twin = [], copy.deepcopy(model)
    threads = torch.get_num_threads()
    for step in range(3):
        (tmp_path / f"checkpoint-{step}").mkdir()
    watched, drawn = train(
        model, lambda step: witness.keep(model, step, tmp_path / f"checkpoint-{step}", told.append)
    )
    witness.finish()
    alone, drawn_alone = train(twin, lambda _step: None)
    assert all(torch.equal(watched[name], alone[name]) for name in alone)
    assert drawn == drawn_alone
    assert len(told) == 3
    assert torch.get_num_threads() == threads


def test_what_is_kept_beside_the_training_is_what_was_there_at_the_save(model, witness, tmp_path):
    at_once = witness.observe(model, 1).snapshot
    witness.keep(model, 1, tmp_path, lambda _seconds: None)
    with torch.no_grad():
        for weights in model.parameters():
            weights.mul_(-1.0)  # the training goes on
    witness.finish()
    kept = read_evidence(tmp_path)
    assert kept.snapshot.sample.output == tuple(at_once["sample"]["output"])
    assert kept.snapshot.weights.digests == at_once["weights"]["digests"]
    assert kept.snapshot.forward.logits_digest == at_once["forward"]["logits_digest"]
    assert kept.recipe["sample_threads"] == 1
    assert not kept.snapshot.unseen


def test_without_memory_for_a_copy_it_is_done_at_once(model, witness, tmp_path, monkeypatch):
    def no_memory(_model, _memo):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(type(model), "__deepcopy__", no_memory, raising=False)
    told = []
    witness.keep(model, 1, tmp_path, told.append)
    assert told
    assert read_evidence(tmp_path).snapshot.sample is not None


def test_a_model_that_cannot_be_copied_is_looked_at_at_once(model, witness, tmp_path):
    model.guarded_by = threading.Lock()
    told = []
    witness.keep(model, 1, tmp_path, told.append)
    assert told
    kept = read_evidence(tmp_path)
    assert kept.snapshot.sample is not None
    assert "sample_threads" not in kept.recipe


def test_what_went_wrong_in_the_thread_is_raised_by_check_once_it_is_known(model, witness, tmp_path):
    may_fail = threading.Event()

    def fail(_seconds):
        may_fail.wait(60)
        raise PermissionError("not for you")

    witness.keep(model, 1, tmp_path, fail)
    witness.check()  # nothing is known yet, and nothing is waited for
    may_fail.set()
    with pytest.raises(PermissionError):
        check_until_it_is_known(witness)
    witness.finish()


def test_no_thread_is_needed_that_memory_might_not_suffice_for_later(model, witness, tmp_path, monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    told = []
    witness.keep(model, 3, tmp_path, told.append)
    witness.finish()
    assert len(told) == 1
    assert read_evidence(tmp_path) is not None


def check_until_it_is_known(witness):
    while True:
        witness.check()
        time.sleep(0.01)


def test_an_error_of_the_save_before_is_raised_at_the_next(model, witness, tmp_path):
    witness.keep(model, 1, tmp_path / "nowhere", lambda _seconds: None)
    with pytest.raises(FileNotFoundError):
        witness.keep(model, 2, tmp_path, lambda _seconds: None)
    witness.finish()


def test_modes_and_use_cache_are_put_back(model, witness):
    model.model.encoder.eval()
    model.config.use_cache = False
    before = [module.training for module in model.modules()]
    witness.observe(model, 1)
    assert [module.training for module in model.modules()] == before
    assert model.config.use_cache is False
    assert torch.is_grad_enabled()


def test_autocast_is_off_also_where_accelerate_has_bound_it(model, witness, tmp_path):
    from accelerate import Accelerator

    snapshot = witness.observe(model, 1).snapshot
    plain = snapshot["forward"]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert witness.observe(model, 1).snapshot["forward"] == plain
    Accelerator(mixed_precision="bf16", cpu=True).prepare_model(model)
    bound = model.forward
    assert witness.observe(model, 1).snapshot["forward"] == plain
    witness.keep(model, 1, tmp_path, lambda _seconds: None)
    witness.finish()
    assert read_evidence(tmp_path).snapshot.sample.output == tuple(snapshot["sample"]["output"])
    assert model.forward == bound


def test_an_error_inside_leaves_the_model_in_training(model):
    with pytest.raises(ZeroDivisionError), eval_context(model):
        raise ZeroDivisionError
    assert model.training


def test_what_cannot_be_seen_is_said_and_stops_nothing(model, witness, monkeypatch):
    def broken(*_args, **_kwargs):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(type(model), "generate", broken)
    seen = witness.observe(model, 1)
    assert seen.snapshot["sample"] is None
    assert "memory" in seen.snapshot["unseen"]["sample"]
    assert seen.snapshot["weights"]["digests"]


def test_a_data_set_of_token_ids_will_do(model, base):
    rows = tuple((n, n + 1, 0) for n in range(5, 45))
    text = ProbeText((), rows=rows, labels=rows)
    seen = EvidenceRecorder(load_tokenizer(FAMILIES["marian"], base), text).observe(model, 1)
    assert not seen.snapshot["unseen"]
    assert len(seen.snapshot["sample"]["output"]) == len(seen.recipe["rows"]) == 32


def test_secrets_of_the_training_arguments_are_left_out(model, base, lines):
    training = {"learning_rate": 1e-4, "hub_token": "hf_secret", "api_key": "x"}
    text = ProbeText(tuple(line[0] for line in lines))
    tokenizer = load_tokenizer(FAMILIES["marian"], base)
    seen = EvidenceRecorder(tokenizer, text, training=training).observe(model, 1)
    assert seen.snapshot["effective"]["training"] == {"learning_rate": 1e-4}


def test_the_same_lines_are_drawn_again_and_blank_ones_never():
    text = ProbeText(tuple("" if n % 3 else f"line {n}" for n in range(300)))
    assert draw(text) == draw(text)
    assert len(draw(text).source) == 32
    assert all(draw(text).source)
    assert draw(text, seed=1) != draw(text)
    assert draw(ProbeText(("a", "b"))).source == ("a", "b")


@pytest.mark.parametrize("vocabulary", [100, 32_000, 256_000, 1_000_000])
def test_a_large_vocabulary_makes_a_small_probe(vocabulary):
    rows = [list(range(40))] * 32
    probe = probe_batch(rows, rows, 0, vocabulary)
    assert probe["labels"].numel() * vocabulary <= 2_500_000
    assert probe["input_ids"].shape == probe["attention_mask"].shape
