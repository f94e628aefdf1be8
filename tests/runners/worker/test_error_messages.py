import pickle

import pytest

from runners.worker.error_messages import explain
from runners.worker.errors import JobError


class SafetensorError(Exception):
    """The name is what tells it: the real class lives in a compiled module."""


def chained(outer: Exception, inner: Exception) -> Exception:
    outer.__cause__ = inner
    return outer


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError(28, "No space left on device"), "no space"),
        (OSError(122, "Disk quota exceeded"), "no space"),
        (
            RuntimeError(
                "Data processing error: File reconstruction error: Disk quota exceeded (os error 122)"
            ),
            "no space",
        ),
        (
            chained(OSError("Can't load the model for 'facebook/x'"), OSError(122, "Disk quota exceeded")),
            "no space",
        ),
        (OSError("We couldn't connect to 'https://huggingface.co' to load the files"), "offline"),
        (OSError("x is not a local folder and is not a valid model identifier listed on"), "model not found"),
        (pickle.UnpicklingError("Weights only load failed"), "unsafe weights"),
        (SafetensorError("Error while deserializing header"), "broken weights"),
        (MemoryError("Unable to allocate"), "out of memory"),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), "device failed"),
        (AttributeError("'list' object has no attribute 'keys'"), "newer tokenizer"),
        (ModuleNotFoundError("No module named 'lightning'", name="lightning"), "missing package"),
        (KeyError("what"), "failed"),
        (JobError("mine", "words"), "mine"),
    ],
)
def test_trouble_is_known_by_its_kind(error: Exception, kind: str) -> None:
    explained = explain(error)
    assert explained.kind == kind
    assert "\n" not in explained.message
    assert explained.message
