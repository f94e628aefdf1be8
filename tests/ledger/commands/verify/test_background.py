"""The worker that verifies saves beside a training: it ends with it, whenever that is."""

import sys
import time
from pathlib import Path

import psutil
import pytest

from ledger.commands.verify.background import BackgroundVerifier
from ledger.commands.verify.values import VerifyRequest
from ledger.commands.verify.verify import prepare


@pytest.fixture
def context(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return prepare(None, VerifyRequest((tmp_path,)))


def left_behind():
    return [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]


def test_a_worker_that_is_just_starting_ends_too(context, tmp_path):
    """The training may be over before the worker is up: a refusal, an error in the first second."""
    before = set(left_behind())
    for number in range(20):
        with BackgroundVerifier(Path(sys.executable), tmp_path / "verify.log", context, lambda _: None):
            time.sleep(number * 0.0004)
    assert set(left_behind()) <= before
