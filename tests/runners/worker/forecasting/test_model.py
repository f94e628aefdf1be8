"""The forecasting model and its pure parts: what is hidden, how fast a layer learns, what it starts from."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from transformers import T5Config, T5ForConditionalGeneration

from ledger.specs.forecasting import EncoderConfig
from runners.worker.errors import JobError
from runners.worker.forecasting.model import Forecaster, correlation, hide, learning_rates

SIZES = {"d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 3, "num_heads": 4, "dropout_rate": 0.0}
FRAMES = ["M1", "H4"]


@pytest.fixture(scope="module")
def model() -> Forecaster:
    torch.manual_seed(0)
    return Forecaster(SIZES, FRAMES).eval()


def test_the_spec_counts_the_encoder_as_it_is(model):
    parameters = sum(one.numel() for one in model.encoder.parameters())
    assert parameters == EncoderConfig(**SIZES).count


def test_what_is_hidden_is_not_seen(model):
    values = torch.randn(2, 16)
    hidden = torch.zeros(2, 16, dtype=torch.bool)
    hidden[:, 4:7] = True
    other = torch.where(hidden, torch.full_like(values, 9.0), values)
    frame = torch.tensor([0, 1])
    with torch.no_grad():
        assert torch.equal(model(values, frame, hidden)[0], model(other, frame, hidden)[0])
        assert not torch.equal(model(values, frame)[0], model(other, frame)[0])


def test_a_time_frame_has_a_head_of_its_own(model):
    values = torch.randn(1, 16).repeat(2, 1)
    with torch.no_grad():
        forecast, filled = model(values, torch.tensor([0, 1]))
    assert forecast.shape == (2,)
    assert filled.shape == (2, 16)
    assert forecast[0] != forecast[1]


def test_learning_rates_fall_from_the_uppermost_layer_down(model):
    groups = learning_rates(model, rate=2e-5, top=5e-6, decay=0.9)
    rates = {group["name"]: group["lr"] for group in groups}
    expected = {"t5.0": 5e-6 * 0.81, "t5.1": 5e-6 * 0.9, "t5.2": 5e-6, "rest": 2e-5}
    assert rates == pytest.approx(expected)


def test_every_parameter_is_in_one_group(model):
    groups = learning_rates(model, rate=1.0, top=1.0, decay=1.0)
    grouped = [id(one) for group in groups for one in group["params"]]
    assert sorted(grouped) == sorted(id(one) for one in model.parameters())
    uppermost = {id(one) for one in groups[2]["params"]}
    assert id(model.encoder.final_layer_norm.weight) in uppermost


@given(
    st.integers(4, 80),
    st.floats(0, 0.99),
    st.integers(1, 20),
    st.integers(0, 2**31),
)
def test_spans_hide_the_wanted_share_of_every_window(length, ratio, span_max, seed):
    hidden = hide((3, length), ratio, span_max, torch.Generator().manual_seed(seed))
    wanted = min(round(ratio * length), length - 1)
    assert hidden.sum(dim=1).tolist() == [wanted] * 3


def test_a_span_is_no_longer_than_allowed():
    hidden = hide((200, 400), 0.01, 4, torch.Generator().manual_seed(0))  # 4 of 400: spans hardly ever meet
    longest = max(len(run) for row in hidden.int().tolist() for run in "".join(map(str, row)).split("0"))
    assert longest == 4


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=3, max_size=40))
def test_correlation_is_pearsons(pairs):
    one, other = (np.array(side) for side in zip(*pairs, strict=True))
    measured = correlation(torch.tensor(one), torch.tensor(other))
    if one.std() < 1e-3 or other.std() < 1e-3:
        return  # where hardly anything varies, rounding decides
    assert measured == pytest.approx(np.corrcoef(one, other)[0, 1], abs=1e-6)


def test_constant_forecasts_have_none():
    assert np.isnan(correlation(torch.ones(5), torch.arange(5.0)))
    assert np.isnan(correlation(torch.tensor([1.0]), torch.tensor([2.0])))


def save_t5(folder, **changes):
    torch.manual_seed(1)
    model = T5ForConditionalGeneration(T5Config(**{**SIZES, "vocab_size": 40, **changes}))
    model.save_pretrained(folder)
    return model


def test_it_starts_from_the_encoder_of_a_whole_t5(tmp_path):
    forecaster = Forecaster(SIZES, FRAMES)
    given = save_t5(tmp_path).encoder.state_dict()
    forecaster.start_from(str(tmp_path), None)
    mine = forecaster.encoder.state_dict()
    assert given.keys() - mine.keys() == {"embed_tokens.weight"}
    assert all(torch.equal(tensor, given[name]) for name, tensor in mine.items())


def test_a_t5_of_other_sizes_is_refused(tmp_path):
    save_t5(tmp_path, num_layers=2, d_ff=64)
    with pytest.raises(JobError) as caught:
        Forecaster(SIZES, FRAMES).start_from(str(tmp_path), None)
    assert "has d_ff 64, not 48, num_layers 2, not 3" in caught.value.message


def test_weights_that_lack_a_part_of_the_encoder_are_refused(tmp_path):
    save_t5(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    del tensors["encoder.block.1.layer.0.SelfAttention.q.weight"]
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(JobError) as caught:
        Forecaster(SIZES, FRAMES).start_from(str(tmp_path), None)
    assert "lacks 1 tensor of the encoder: encoder.block.1.layer.0.SelfAttention.q.weight" in (
        caught.value.message
    )
