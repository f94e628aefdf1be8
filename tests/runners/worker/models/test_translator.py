"""Whether a generated sequence ended by itself: the first token starts the decoder."""

from types import SimpleNamespace

import pytest

from runners.worker.models.translator import is_unfinished

PLAIN = {"eos_token_id": 2, "forced_eos_token_id": None, "max_length": 5, "max_new_tokens": None}
FORCED = {**PLAIN, "forced_eos_token_id": 2}


@pytest.mark.parametrize(
    ("sequence", "settings", "unfinished"),
    [
        pytest.param([0, 8, 9, 2], PLAIN, False, id="ended"),
        pytest.param([0, 8, 9, 2, 1], PLAIN, False, id="padded"),
        pytest.param([0, 8, 9, 9, 2], PLAIN, False, id="ended with the last token"),
        pytest.param([0, 8, 9, 9, 9], PLAIN, True, id="no end"),
        pytest.param([2, 8, 9, 9, 9], PLAIN, True, id="the start is the same token"),
        pytest.param([2, 8, 9, 2, 2], FORCED, False, id="ended before the forced end"),
        pytest.param([2, 8, 9, 9, 2], FORCED, True, id="a forced end"),
        pytest.param([2, 8, 9, 9, 2], {**FORCED, "max_new_tokens": 4}, True, id="forced, new tokens"),
        pytest.param([2, 8, 9, 9, 2], {**FORCED, "max_new_tokens": 9}, False, id="other limit"),
        pytest.param([0, 8, 7], {**PLAIN, "eos_token_id": [2, 7]}, False, id="several ends"),
        pytest.param([0, 8, 7], {**PLAIN, "eos_token_id": None}, True, id="a model without an end"),
    ],
)
def test_the_end(sequence, settings, unfinished):
    assert is_unfinished(sequence, SimpleNamespace(**settings)) is unfinished
