"""Digests of tensors: equal exactly when bytes, dtype and shape are, whatever the layout and the threads."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from runners.worker.evidence import digests
from runners.worker.evidence.digests import digest_tensors, foreign_algorithm, not_finite, ties


def one(tensor):
    return digest_tensors({"x": tensor})["x"]


BASE = torch.arange(24, dtype=torch.float32).reshape(4, 6)


def test_the_algorithm_travels_with_the_digest():
    assert one(BASE).startswith("sha256:")


@pytest.mark.parametrize(
    "same",
    [BASE.clone(), BASE.t().contiguous().t(), torch.nn.Parameter(BASE.clone()), BASE.repeat(2, 1)[:4]],
    ids=["copy", "other layout", "parameter", "view"],
)
def test_equal_tensors_have_equal_digests(same):
    assert one(same) == one(BASE)


@pytest.mark.parametrize(
    "other",
    [BASE.reshape(6, 4), BASE.to(torch.float64), BASE.to(torch.bfloat16), -BASE, BASE.t(), BASE[:3]],
    ids=["shape", "wider", "cast", "sign of zero too", "transposed", "shorter"],
)
def test_different_tensors_have_different_digests(other):
    assert one(other) != one(BASE)


@settings(max_examples=30)
@given(st.integers(0, 3_000_000 - 1), st.integers(0, 7))
def test_any_flipped_bit_changes_the_digest(byte, bit):
    data = torch.zeros(3_000_000, dtype=torch.uint8)
    before = one(data)
    data[byte] = 1 << bit
    assert one(data) != before


def test_pieces_are_part_of_the_digest_and_threads_are_not(monkeypatch):
    large = torch.randn(3, 1_000_000)
    expected = one(large)
    for threads in (1, 2, 7):
        monkeypatch.setattr(digests, "THREADS", threads)
        assert one(large) == expected


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.int64, torch.bool, torch.uint8])
def test_every_dtype_has_a_digest(dtype):
    assert one(torch.zeros(3, dtype=dtype)) != one(torch.ones(3, dtype=dtype))


def test_scalars_and_empty_tensors_have_one():
    assert len({one(torch.tensor(1.0)), one(torch.zeros(0)), one(torch.zeros(0, 3))}) == 3


def test_ties_are_told_by_storage_and_not_by_value():
    shared = torch.ones(2, 2)
    table = {"b": shared, "a": shared, "copy": shared.clone(), "part": shared[:1], "e1": torch.zeros(0)}
    assert ties({**table, "e2": torch.zeros(0)}) == [["a", "b"]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_not_finite_tensors_are_named(dtype, value):
    bad = torch.zeros(5, dtype=dtype)
    bad[3] = value
    table = {"good": torch.ones(5), "bad": bad, "tied": bad, "ids": torch.tensor([1]), "none": torch.zeros(0)}
    assert not_finite(table) == ["bad", "tied"]


def test_digests_of_another_algorithm_are_recognized():
    assert foreign_algorithm(digest_tensors({"x": BASE}).values()) is None
    assert foreign_algorithm(["sha256:00", "xxh3_128:00"]) == "xxh3_128"
