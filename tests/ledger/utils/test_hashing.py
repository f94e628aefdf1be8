import hashlib
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import LedgerError
from ledger.utils.hashing import CHUNK, canonical_bytes, digest_bytes, digest_file, digest_json


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # RFC 8785, section 3.2.2: the example of the standard itself.
        (
            {"numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 1e-27], "literals": [None, True, False]},
            '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}',
        ),
        ({"b": 1, "a": 2}, '{"a":2,"b":1}'),
        ({"한국어": "日本語"}, '{"한국어":"日本語"}'),
        ("\u20ac$\u000f\nA'B\"\\", '"€$\\u000f\\nA\'B\\"\\\\"'),
        (
            {"\U0001f600": 1, "\ufb33": 2},
            '{"\U0001f600":1,"\ufb33":2}',
        ),  # by UTF-16 units, not by code points
        (1.0, "1"),
        ((1, 2), "[1,2]"),
    ],
)
def test_writes_what_the_standard_asks_for(value, expected):
    assert canonical_bytes(value) == expected.encode()


@pytest.mark.parametrize("value", [math.nan, math.inf, 2**53 + 1, "\ud800", {1: 2}, Path(), {"a": {1, 2}}])
def test_refuses_what_json_cannot_hold_exactly(value):
    with pytest.raises(LedgerError, match="cannot be written as JSON"):
        canonical_bytes(value)


@given(st.dictionaries(st.text(), st.integers(-(2**53) + 1, 2**53 - 1)))
def test_the_order_of_keys_does_not_matter(value):
    assert digest_json(value) == digest_json(dict(reversed(value.items())))


def test_a_digest_names_its_algorithm():
    assert digest_bytes(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1])
def test_digests_a_file_of_any_size(tmp_path, size):
    data = b"\xed\x95\x9c" * (size // 3) + b"x" * (size % 3)
    path = tmp_path / "output.ja"
    path.write_bytes(data)
    assert digest_file(path) == {
        "md5": hashlib.md5(data).hexdigest(),
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": size,
    }
