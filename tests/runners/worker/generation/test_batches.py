from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runners.worker.generation.batches import translate_batch
from runners.worker.models.translator import Translation


def translator(
    most: int, bad: set[int], error: Exception | None = None
) -> Callable[[Sequence[int]], list[Translation]]:
    """A function with the limits of a model: `most` lines find memory, `bad` ones fail."""

    def translate(lines: Sequence[int]) -> list[Translation]:
        if len(lines) > most:
            raise error or RuntimeError(
                "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried 9 bytes"
            )
        if bad & set(lines):
            raise ValueError("no")
        return [Translation(f"text {line}", line % 2 == 0) for line in lines]

    return translate


@settings(max_examples=30)  # each collects garbage
@given(
    st.lists(st.integers(0, 99), min_size=1, max_size=20, unique=True),
    st.sets(st.integers(0, 99)),
    st.integers(1, 20),
)
def test_each_line_has_its_text_or_none_in_its_place(lines: list[int], bad: set[int], most: int) -> None:
    outcome = translate_batch(translator(most, bad), lines, lambda message: None)
    whole = [Translation(f"text {line}", line % 2 == 0) for line in lines]
    assert outcome.lines == [None if line in bad else text for line, text in zip(lines, whole, strict=True)]
    assert sum(outcome.sizes) == len(lines)
    assert max(outcome.sizes) <= most
    assert outcome.halved == (len(lines) > most)


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")]
)
def test_memory_has_many_names(error: Exception) -> None:
    told: list[str] = []
    assert translate_batch(translator(2, set(), error), [1, 2, 3, 4], told.append).sizes == [2, 2]
    assert told == ["out of memory with 4 lines at once: trying 2"]


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        OSError(122, "Disk quota exceeded"),
        RuntimeError("CUDA error: device-side assert triggered"),
    ],
)
def test_what_would_fail_the_next_lines_too_is_no_failed_line(error: Exception) -> None:
    with pytest.raises(type(error)):
        translate_batch(translator(0, set(), error), [1, 2], lambda message: None)
