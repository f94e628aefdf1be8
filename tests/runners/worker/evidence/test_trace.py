"""What a training process sees around its saves: a tiny model whose parameters are moved by hand."""

import pytest
import torch
import transformers

from runners.worker.evidence.trace import TrainingTrace

SIZES = {
    "d_model": 8,
    "encoder_ffn_dim": 8,
    "decoder_ffn_dim": 8,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "vocab_size": 40,
    "max_position_embeddings": 16,
    "pad_token_id": 0,
    "decoder_start_token_id": 0,
}
POSITIONS = ["model.decoder.embed_positions.weight", "model.encoder.embed_positions.weight"]


@pytest.fixture(params=["MarianMTModel", "PegasusForConditionalGeneration"])
def model(request):
    """A model with computed positions: a save of Marian leaves them out, one of Pegasus does not."""
    torch.manual_seed(0)
    kind = getattr(transformers, request.param)
    return kind(kind.config_class(**SIZES))


def move(model, part=""):
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.requires_grad and part in name:
                parameter.add_(1)


@pytest.fixture
def trace(model):
    trace = TrainingTrace()
    trace.begin(model, 0)
    return trace


def test_parameters_that_stay_are_named_since_the_start_and_since_the_last_save(model, trace):
    assert set(trace.save(model, 10)["unmoved"]) == set(trace.save(model, 10)["trainable"])
    move(model, "decoder")
    found = trace.save(model, 20)
    assert (found["step"], found["since"]) == (20, 10)
    assert not [name for name in found["unmoved"] if "decoder" in name]
    assert "model.encoder.layers.0.fc1.weight" in found["unmoved"]
    move(model)
    assert trace.save(model, 30)["unmoved"] == []


def test_a_second_save_at_the_same_step_is_compared_with_nothing(model, trace):
    trace.save(model, 10)
    assert trace.save(model, 10)["since"] is None


def test_without_a_start_the_first_save_is_compared_with_nothing(model):
    assert TrainingTrace().save(model, 10)["since"] is None


def test_frozen_parameters_are_not_expected_to_move(model, trace):
    model.get_encoder().layers.requires_grad_(False)
    assert not [name for name in trace.save(model, 10)["unmoved"] if ".encoder.layers" in name]


def test_a_resumed_training_starts_where_it_was(model, trace):
    move(model)
    trace.begin(model, 50)
    assert trace.save(model, 60)["since"] == 50


def test_nan_that_stays_has_not_moved(model, trace):
    with torch.no_grad():
        model.model.encoder.layers[0].fc1.bias.fill_(float("nan"))
    trace.save(model, 10)
    assert "model.encoder.layers.0.fc1.bias" in trace.save(model, 20)["unmoved"]


def test_frozen_sinusoidal_positions_are_no_trained_parameters(model, trace):
    model.model.encoder.embed_positions.weight.requires_grad_(False)
    model.model.decoder.embed_positions.weight.requires_grad_(False)
    assert trace.save(model, 10)["not_saved"] == {}


def test_trained_positions_are_left_out_of_the_save(model, trace):
    """As transformers 5.24.0 has them after from_pretrained."""
    left_out = getattr(model, "_keys_to_ignore_on_save", None) or ()
    assert sorted(left_out) in ([], POSITIONS)
    model.model.encoder.embed_positions.weight.requires_grad_(True)
    model.model.decoder.embed_positions.weight.requires_grad_(True)
    assert trace.save(model, 10)["not_saved"] == dict.fromkeys(left_out, False)
    move(model)
    assert trace.save(model, 20)["not_saved"] == dict.fromkeys(left_out, True)
    assert TrainingTrace().save(model, 20)["not_saved"] == dict.fromkeys(left_out, None)


def test_another_name_of_a_saved_tensor_is_saved(model, trace):
    model._keys_to_ignore_on_save = ["model.shared.weight"]
    assert trace.save(model, 10)["not_saved"] == {}


def test_an_evaluation_of_other_weights_is_seen(model, trace):
    trace.evaluate(model, 10, None)
    assert trace.save(model, 10)["evaluated_otherwise"] == []
    move(model)
    trace.evaluate(model, 20, None)
    move(model, "fc1.bias")
    found = trace.save(model, 20)
    assert (found["evaluated"], len(found["evaluated_otherwise"])) == (True, 2)
    assert trace.save(model, 30)["evaluated"] is False


def test_weights_of_the_best_checkpoint_are_compared_with_nothing(model, trace):
    trace.save(model, 10)
    trace.evaluate(model, 20, None)
    trace.replace()
    move(model)
    found = trace.save(model, 20)
    assert (found["since"], found["evaluated"]) == (None, False)


def test_a_cast_evaluation_is_of_the_same_weights(model, trace):
    trace.evaluate(model.half(), 10, None)
    assert trace.save(model.float(), 10)["evaluated_otherwise"] == []


def test_the_arguments_of_an_evaluation_are_resolved(model, trace):
    trace.evaluate(model, 10, {"num_beams": 4, "max_length": None, "synced_gpus": False})
    assert trace.save(model, 10)["evaluated_with"]["num_beams"] == 4


def test_the_losses_on_both_sides_of_a_resume_are_kept(model, trace):
    log = [{"step": step, "loss": 1 / step, "learning_rate": 1e-3} for step in range(10, 61, 10)]
    log += [{"step": 60, "eval_loss": 3.0}, {"step": 60, "loss": float("nan")}]
    trace.begin(model, 60, log)
    assert "losses_after" not in trace.save(model, 60)
    log += [{"step": step, "loss": 2.0, "learning_rate": 1e-4} for step in range(70, 120, 10)]
    found = trace.save(model, 120)
    assert (found["resumed_at"], found["losses_after"], found["rates"]) == (60, [2.0] * 3, [1e-3, 1e-4])
    assert found["losses_before"] == [1 / step for step in range(10, 61, 10)]
    trace.begin(model, 0, log)
    assert "resumed_at" not in trace.save(model, 130)


RESUMED = {
    "all is there": (("optimizer.pt", "scheduler.pt", "rng_state.pth"), {}, []),
    "several processes": (("optimizer.bin", "scheduler.pt", "rng_state_0.pth", "rng_state_1.pth"), {}, []),
    "the weights alone": ((), {}, ["optimizer", "schedule", "random generators"]),
    "no schedule": (("optimizer.pt", "rng_state.pth"), {}, ["schedule"]),
    "no scaler": (("optimizer.pt", "scheduler.pt", "rng_state.pth"), {"scaled": True}, ["gradient scaler"]),
    "data again": (("optimizer.pt", "scheduler.pt", "rng_state.pth"), {"skips_data": False}, ["data"]),
}


@pytest.mark.parametrize("row", RESUMED)
def test_what_a_resumed_training_lacks_is_named(row, model, tmp_path):
    files, options, missing = RESUMED[row]
    for name in files:
        (tmp_path / name).touch()
    trace = TrainingTrace()
    trace.resume(tmp_path, **options)
    trace.begin(model, 10)
    found = trace.save(model, 20)["resumed_without"]
    assert len(found) == len(missing)
    assert all(words in one for words, one in zip(missing, found, strict=True))
    trace.resume(None)
    assert trace.save(model, 30)["resumed_without"] == []
