"""Whatever a file or an argument holds, the answer is a spec that can be recorded, or one UsageError."""

from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger.errors import UsageError
from ledger.specs import load_experiment
from ledger.specs.loader import dotted_keys

WHOLE = b"""
model: {name: facebook/mbart-large-50-many-to-many-mmt}
languages: {source: ko, target: ja}
data: {source: data/source.ko}
output: data/out.ja
environment: mt-4.57.6
"""
# Pieces of YAML, so that most documents get past the scanner.
PIECES = [
    "model",
    "title",
    ": ",
    "\n",
    "  ",
    "- ",
    "{",
    "}",
    "[",
    ",",
    "&a",
    "*a",
    "!!int",
    "!x",
    "|",
    ">",
    '"',
    "'",
]
MORE = [
    "#",
    "?",
    "%YAML 1.1\n",
    "---",
    "<<",
    "~",
    "1",
    "0x_",
    "1:2",
    "2026-02-30",
    ".inf",
    "\t",
    "\\ud800",
    "한",
    "\x85",
    "\u2028",
]
YAML_LIKE = st.lists(st.sampled_from([*PIECES, *MORE])).map("".join)


def read(content: bytes, overrides: list[str]) -> None:
    with TemporaryDirectory() as name:
        Path(name, "mine.yaml").write_bytes(content)
        try:
            spec = load_experiment("mine", Path(name), overrides)
        except UsageError as error:
            spoken = str(error).encode()
        else:
            spoken = orjson.dumps(spec.resolved()) + spec.digest.encode()
    assert spoken


@settings(deadline=None, max_examples=200)
@given(YAML_LIKE.map(str.encode) | st.binary())
@example(b'notes: "\\ud800"')
@example(b'"\\ud800": 1')
@example(b"%YAML 1.1\n---\ntitle: yes")
@example(b"? a\n")
@example(b"!!set {a}")
@example(b"!!omap [a: 1]")
@example(b"=: 1")
def test_any_file(content):
    read(content, [])
    read(WHOLE + content, [])


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(dotted_keys()) | st.text(), YAML_LIKE | st.text())
@example("notes", '"\\ud800"')
@example("notes", "|")
@example("notes", "=")
def test_any_override(key, value):
    read(WHOLE, [f"{key}={value}"])
