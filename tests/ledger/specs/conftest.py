import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

WHOLE = """
    title: a small one
    model: {name: facebook/mbart-large-50-many-to-many-mmt}
    languages: {source: ko, target: ja}
    codes: {source: ko_KR, target: ja_XX}
    data: {source: data/source.ko}
    output: data/out.ja
    environment: mt-4.57.6
    """

Write = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty experiments folder in the current one, so that messages show `experiments/NAME.yaml`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "experiments").mkdir()
    return tmp_path / "experiments"


@pytest.fixture
def write(folder: Path) -> Write:
    """write(name, text): a spec file. `text` is dedented; bytes are written as they are."""

    def write(name: str, text: str | bytes) -> Path:
        path = folder / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else textwrap.dedent(text).lstrip("\n").encode())
        return path

    return write


@pytest.fixture
def whole(write: Write) -> str:
    """A spec `whole` that is complete, to be extended."""
    write("whole", WHOLE)
    return "whole"
