"""The parent's end: which Python a command is, and what is read of its events."""

import sys
from pathlib import Path

import pytest

from ledger.evidence.training import TrainingPoint
from runners.host.attachment import Attachment, isolating_option, output_folder, python_of
from runners.worker.messages import UsesModels


@pytest.mark.parametrize(
    ("argv", "option"),
    [
        (["python", "-I", "train.py"], "-I"),
        (["python3.11", "-uE", "train.py"], "-uE"),
        (["python", "-u", "train.py", "-I"], None),
        (["python", "-m", "train", "-S"], None),
        (["python", "-X", "importtime", "-I", "t.py"], None),  # not looked at: what stands behind a value
        (["ls", "-I", "x"], None),
    ],
)
def test_deaf(argv, option):
    assert isolating_option(argv) == option


@pytest.mark.parametrize(
    ("argv", "folder"),
    [
        (["python", "t.py", "--output_dir", "out"], Path("out")),
        (["python", "t.py", "--output-dir=a/b"], Path("a/b")),
        (["python", "t.py", "--output_dir"], None),
        (["python", "t.py"], None),
    ],
)
def test_output_folder(argv, folder):
    assert output_folder(argv) == folder


def test_python_of(tmp_path):
    script = tmp_path / "tool"
    for first, python in [
        (f"#!{sys.executable} -P\n", Path(sys.executable)),
        ("#!/bin/sh\n", None),
        ("no shebang", None),
        ("", None),
    ]:
        script.write_text(first)
        script.chmod(0o755)
        assert python_of(str(script)) == python
    assert python_of(sys.executable) == Path(sys.executable)
    assert python_of("no-such-program") is None


def test_events_are_read_once_and_only_when_they_are_whole(tmp_path):
    attachment = Attachment(tmp_path)
    assert attachment.read() == []
    events = tmp_path / "events.jsonl"
    events.write_text('{"event": "models", "python": "/p"}\nnot JSON\n{"event": "new"}\n[]\n{"event": "st')
    assert attachment.read() == [UsesModels(Path("/p"))]
    with events.open("a") as file:
        file.write('ep", "step": 5, "loss": "nan"}\n')
    (point,) = attachment.read()
    assert isinstance(point, TrainingPoint)
    assert (point.step, str(point.loss)) == (5, "nan")
    assert attachment.read() == []
