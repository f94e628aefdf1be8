"""Tells which Python uses models here: it can reload what is saved without a trainer."""

import sys
from typing import Any

from runners.attach.channel import Channel


def attach(module: Any, folder: str) -> None:  # noqa: ARG001 - what every attachment takes
    """Tell it once, when transformers' models are imported."""
    Channel(folder).send("models", python=sys.executable)
