"""Disk evidence from a real cache folder made here, and `quota`'s table as its manual page shows it."""

from pathlib import Path

import pytest

from runners.resources.disk import RUN_BYTES, cached_models, free_space, model_need, parse_quota

QUOTA = """\
Disk quotas for user ana (uid 1001):
   blocks   quota   limit   grace   files   quota   limit   grace
    {blocks}  {quota}  {limit}       0     120       0       0       0
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Hugging Face cache with one model of 5,000 bytes, laid out as huggingface_hub lays it out."""
    root = tmp_path / "hub"
    folder = root / "models--facebook--m2m100_418M"
    blob = folder / "blobs" / "0123abcd"
    blob.parent.mkdir(parents=True)
    blob.write_bytes(b"x" * 5_000)
    snapshot = folder / "snapshots" / "5f2c4a6b"
    snapshot.mkdir(parents=True)
    (snapshot / "model.safetensors").symlink_to(blob)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("5f2c4a6b")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(root))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return root


def test_the_cache_is_listed_with_what_deleting_would_free(cache: Path) -> None:
    (model,) = cached_models()
    assert (model.name, model.size_bytes) == ("facebook/m2m100_418M", 5_000)


def test_no_cache_is_no_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "none"))
    assert cached_models() == []


@pytest.mark.parametrize(
    ("model", "parameters", "expected", "word"),
    [
        ("facebook/m2m100_418M", 484_000_000, RUN_BYTES, "already here"),
        ("facebook/m2m100_1.2B", 1_200_000_000, 4_800_000_000 + RUN_BYTES, "x 4 bytes"),
        ("someone/something", None, RUN_BYTES, "not known"),
    ],
)
def test_the_need_says_how_it_was_estimated(
    cache: Path, model: str, parameters: int | None, expected: int, word: str
) -> None:
    need = model_need(model, parameters)
    assert need.needed_bytes == expected
    assert word in need.how


def test_a_model_folder_needs_no_download(cache: Path, tmp_path: Path) -> None:
    assert model_need(str(tmp_path), 10**12).needed_bytes == RUN_BYTES


def test_free_space_is_read_at_the_nearest_folder_that_exists(cache: Path, tmp_path: Path) -> None:
    space = free_space(tmp_path / "not" / "yet")
    assert space.path == str(tmp_path)
    assert space.free_bytes > 0


@pytest.mark.parametrize(
    ("blocks", "quota", "limit", "expected"),
    [
        ("1000", "5000", "6000", 5_000 * 1024),
        ("1000", "5000", "0", 4_000 * 1024),
        ("6500*", "5000", "6000", 0),
        ("1000", "0", "0", None),
    ],
)
def test_the_rest_of_the_quota(blocks: str, quota: str, limit: str, expected: int | None) -> None:
    assert parse_quota(QUOTA.format(blocks=blocks, quota=quota, limit=limit)) == expected


def test_a_user_without_quota() -> None:
    assert parse_quota("Disk quotas for user root (uid 0): none\n") is None
