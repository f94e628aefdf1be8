"""A save and its reload in a fresh process: equal where healthy, and told where not."""

import io
import json
import os
import zipfile
from dataclasses import replace

import pytest

from ledger.checkpoints.stored_evidence import read_evidence
from ledger.errors import LedgerError
from runners.host.verification import ReloadOptions, reload
from runners.host.worker_process import Worker

FAMILIES = ("marian", "mbart50", "m2m100", "nllb", "t5", "mbart")
HEAD = "model.safetensors"


def change_tensors(checkpoint, change):
    """Write the weights again with `change` applied to the table of tensors."""
    from safetensors.torch import load_file, save_file

    tensors = load_file(checkpoint / HEAD)
    change(tensors)
    save_file(tensors, checkpoint / HEAD, metadata={"format": "pt"})


@pytest.mark.parametrize("family", FAMILIES)
def test_a_healthy_save_comes_back_as_it_was(family, healthy, worker):
    done = reload(worker, healthy[family], ReloadOptions())
    before, after = done.expected, done.actual
    assert done.has_evidence
    assert (done.files.problems, done.files.refusals) == ({}, {})
    assert not after.unseen
    assert after.weights.digests == before.weights.digests
    assert after.weights.ties == before.weights.ties
    assert (after.weights.missing, after.weights.mismatched, after.weights.not_finite) == ((), (), ())
    assert (after.forward.max_difference, after.forward.loss) == (0.0, before.forward.loss)
    assert after.forward.logits_digest == before.forward.logits_digest
    assert after.sample.output == before.sample.output
    assert after.sample.settings == before.sample.settings
    assert after.sample.bleu == before.sample.bleu
    assert replace(after.tokenizer, disagreements=None) == before.tokenizer
    assert not after.tokenizer.disagreements
    assert after.weights.unlike_file == ()
    assert after.effective.generation == before.effective.generation
    assert after.effective.model == before.effective.model


def test_the_sample_is_of_32_lines_that_differ(healthy):
    sample = read_evidence(healthy["marian"]).snapshot.sample
    assert len(sample.source) == len(sample.reference) == len(sample.output) == 32
    assert len(set(sample.output)) > 16
    assert sample.settings["num_beams"] == 1
    assert sample.settings["no_repeat_ngram_size"] == 0


def test_a_tied_model_has_one_digest_for_all_names_of_a_tensor(healthy):
    weights = read_evidence(healthy["marian"]).snapshot.weights
    (tied,) = weights.ties
    assert "lm_head.weight" in tied
    assert len({weights.digests[name] for name in tied}) == 1


def test_missing_tensors_are_named(marian, worker):
    change_tensors(marian, lambda tensors: tensors.pop("model.decoder.layers.0.fc1.weight"))
    done = reload(worker, marian, ReloadOptions())
    assert done.actual.weights.missing == ("model.decoder.layers.0.fc1.weight",)
    assert done.actual.weights.digests != done.expected.weights.digests
    assert done.actual.forward.max_difference > 0


def test_a_wrong_prefix_shows_as_missing_and_unexpected(marian, worker):
    def rename(tensors):
        tensors["transformer.fc1"] = tensors.pop("model.encoder.layers.0.fc1.weight")

    change_tensors(marian, rename)
    weights = reload(worker, marian, ReloadOptions()).actual.weights
    assert weights.missing == ("model.encoder.layers.0.fc1.weight",)
    assert weights.unexpected == ("transformer.fc1",)


def test_another_size_is_a_mismatch_and_no_crash(marian, worker):
    def shrink(tensors):
        tensors["model.encoder.layers.0.fc1.weight"] = tensors["model.encoder.layers.0.fc1.weight"][
            :3
        ].clone()

    change_tensors(marian, shrink)
    weights = reload(worker, marian, ReloadOptions()).actual.weights
    assert weights.mismatched == ("model.encoder.layers.0.fc1.weight",)


def test_one_changed_number_changes_one_digest(marian, worker):
    def nudge(tensors):
        tensors["model.encoder.layers.0.fc1.bias"][0] += 1e-6

    change_tensors(marian, nudge)
    done = reload(worker, marian, ReloadOptions())
    before, after = done.expected.weights.digests, done.actual.weights.digests
    assert [name for name in before if before[name] != after[name]] == ["model.encoder.layers.0.fc1.bias"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_named_and_travel(marian, worker, value):
    def spoil(tensors):
        tensors["model.encoder.layers.0.fc1.weight"][1, 1] = value

    change_tensors(marian, spoil)
    done = reload(worker, marian, ReloadOptions())
    assert done.actual.weights.not_finite == ("model.encoder.layers.0.fc1.weight",)
    assert done.actual.forward.max_difference != 0.0


def test_a_cast_file_is_loaded_at_its_own_dtype(marian, worker):
    import torch

    def cast(tensors):
        tensors.update({name: tensor.to(torch.bfloat16) for name, tensor in tensors.items()})

    change_tensors(marian, cast)
    done = reload(worker, marian, ReloadOptions())
    assert set(done.actual.weights.dtypes.values()) == {"bfloat16"}
    assert done.actual.forward.dtype == "bfloat16"
    assert 0 < done.actual.forward.max_difference < 1


def test_a_cut_file_is_told_and_not_loaded(marian, worker):
    path = marian / HEAD
    path.write_bytes(path.read_bytes()[:-100])
    done = reload(worker, marian, ReloadOptions())
    assert "cut off" in done.files.problems[HEAD]
    assert done.actual.weights is None
    assert done.actual.unseen["weights"] == f"it was not loaded, because of {HEAD}"


class Payload:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_pickle_with_a_payload_is_refused_and_does_nothing(marian, worker, tmp_path):
    import torch

    (marian / HEAD).unlink()
    torch.save({"weight": torch.zeros(2), "more": Payload(tmp_path / "ran")}, marian / "pytorch_model.bin")
    done = reload(worker, marian, ReloadOptions())
    assert "could run code" in done.files.refusals["pytorch_model.bin"]
    assert done.actual.weights is None
    assert not (tmp_path / "ran").exists()


def test_tensors_in_a_sound_archive_are_loaded(marian, worker):
    import torch
    from safetensors.torch import load_file

    torch.save(load_file(marian / HEAD), marian / "pytorch_model.bin")
    (marian / HEAD).unlink()
    done = reload(worker, marian, ReloadOptions())
    assert done.files.format == "pickle"
    assert done.actual.weights.digests == done.expected.weights.digests


def test_another_vocabulary_shows_in_the_tokenizer_and_the_text(marian, worker):
    path = marian / "vocab.json"
    vocabulary = json.loads(path.read_text("utf-8"))
    words = [word for word in vocabulary if len(word) > 1 and not word.startswith(("<", ">"))]
    turned = dict(zip(words, [vocabulary[word] for word in reversed(words)], strict=True))
    path.write_text(json.dumps(vocabulary | turned, ensure_ascii=False), "utf-8")
    done = reload(worker, marian, ReloadOptions())
    assert done.actual.weights.digests == done.expected.weights.digests
    assert done.actual.forward.max_difference == 0.0
    assert done.actual.tokenizer != done.expected.tokenizer
    assert done.actual.sample.output != done.expected.sample.output


def test_a_lost_tokenizer_leaves_the_rest_to_see(marian, worker):
    for pattern in ("*token*", "*.spm", "vocab.json"):
        for path in marian.glob(pattern):
            path.unlink()
    done = reload(worker, marian, ReloadOptions())
    assert done.actual.forward.max_difference == 0.0
    assert done.actual.unseen["sample"] == "there is no tokenizer"


def test_without_evidence_given_lines_are_asked(marian, worker, lines):
    for path in (marian / "ledger").iterdir():
        path.unlink()
    source, reference = zip(*lines, strict=True)
    done = reload(worker, marian, ReloadOptions(source, reference, "ja", target_code="jpn"))
    assert not done.has_evidence
    assert done.expected.weights is None
    assert done.expected.unseen["weights"] == "no evidence was written when it was saved"
    assert len(done.actual.sample.output) == 32
    assert done.actual.sample.bleu.signature.startswith("BLEU|")
    assert done.actual.forward.max_difference is None


def test_without_evidence_and_lines_weights_alone_are_looked_at(marian, worker):
    (marian / "ledger" / "evidence.json").unlink()
    done = reload(worker, marian, ReloadOptions())
    assert done.actual.weights is not None
    assert done.actual.sample is None
    assert "no lines" in done.actual.unseen["sample"]


def test_given_lines_are_a_second_sample_beside_evidence(marian, worker, lines):
    source, reference = zip(*lines[100:140], strict=True)
    done = reload(worker, marian, ReloadOptions(source, reference, "ja"))
    assert done.actual.sample.source == done.expected.sample.source
    assert len(done.user_sample.output) == 32
    assert set(done.user_sample.source) <= set(source)
    assert done.user_sample.bleu is not None


def test_full_translates_every_line_with_the_checkpoints_own_settings(marian, worker, lines):
    source = tuple(line for line, _ in lines[:40])
    done = reload(worker, marian, ReloadOptions(source, language="ja", full=True))
    assert done.user_sample.source == source
    assert len(done.user_sample.output) == 40
    assert "num_beams" not in done.user_sample.settings


def test_damaged_evidence_is_damage(marian, worker):
    (marian / "ledger" / "evidence.json").write_text('{"v": 1, "ti')
    done = reload(worker, marian, ReloadOptions())
    assert "ledger/evidence.json" in done.files.problems
    assert done.actual.weights is None


def test_a_lost_probe_batch_is_said(marian, worker):
    (marian / "ledger" / "probe.safetensors").unlink()
    done = reload(worker, marian, ReloadOptions())
    assert done.actual.forward is None
    assert "no probe batch" in done.actual.unseen["forward"]
    assert done.actual.sample.output == done.expected.sample.output


def test_an_environment_without_transformers_is_no_verdict(marian, tmp_path):
    import venv

    venv.create(tmp_path / "bare", symlinks=True)
    with (
        Worker(tmp_path / "bare" / "bin" / "python", tmp_path / "worker.log") as bare,
        pytest.raises(LedgerError, match="torch"),
    ):
        reload(bare, marian, ReloadOptions())


def test_a_zip_that_is_no_tensor_archive_is_not_loaded(marian, worker):
    (marian / HEAD).unlink()
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("readme.txt", "nothing")
    (marian / "pytorch_model.bin").write_bytes(content.getvalue())
    done = reload(worker, marian, ReloadOptions())
    assert "pytorch_model.bin" in {**done.files.problems, **done.files.refusals}
