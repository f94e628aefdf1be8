import pytest

from guards.preflight import insufficient_disk
from ledger.evidence.preflight import CachedModel, DiskNeed, DiskSpace

GB = 10**9
NEED = DiskNeed(5 * GB, "2.4 GB of weights, twice while they are converted")
CACHE = (
    CachedModel("facebook/m2m100_1.2B", 5 * GB, "2026-02-03T15:14:00Z"),
    CachedModel("facebook/nllb-200-3.3B", 18 * GB, "2026-02-03T14:38:00Z"),
    CachedModel("Helsinki-NLP/opus-mt-ko-en", 312_000_000, ""),
)


@pytest.mark.parametrize(
    ("free", "quota", "missing"),
    [
        (5 * GB, None, None),
        (5 * GB, 5 * GB, None),
        (5 * GB - 1, None, 1),
        (100 * GB, 4 * GB, GB),
        (4 * GB, 100 * GB, GB),
        (0, None, 5 * GB),
    ],
)
def test_the_smaller_of_disk_and_quota_decides(free, quota, missing):
    found = list(insufficient_disk.inspect(NEED, DiskSpace("/cache", free, quota)))
    assert [f.threshold - f.measured for f in found] == ([] if missing is None else [missing])


def test_a_short_quota_is_reported_with_the_models_to_delete_largest_first():
    (finding,) = insufficient_disk.inspect(NEED, DiskSpace("/cache", 100 * GB, 1 * GB, CACHE))
    assert finding.message == (
        "the run needs 5.0 GB (2.4 GB of weights, twice while they are converted) and your disk quota at "
        "/cache has 1.0 GB left: 4.0 GB too little; hf cache delete (or huggingface-cli delete-cache) "
        "can free facebook/nllb-200-3.3B (18.0 GB, last used 2026-02-03), facebook/m2m100_1.2B (5.0 GB, "
        "last used 2026-02-03), Helsinki-NLP/opus-mt-ko-en (312.0 MB, never used)"
    )
    assert finding.evidence["freeable"][0]["name"] == "facebook/nllb-200-3.3B"


def test_an_empty_cache_is_reported():
    (finding,) = insufficient_disk.inspect(NEED, DiskSpace("/cache", GB))
    assert "the disk at /cache has 1.0 GB left" in finding.message
    assert "nothing that could be deleted" in finding.message


def test_a_cache_that_is_too_small_to_help_is_reported_with_its_size():
    (finding,) = insufficient_disk.inspect(NEED, DiskSpace("/cache", GB, None, CACHE[2:]))
    assert "together are only 312.0 MB" in finding.message


def test_a_long_list_is_cut():
    many = tuple(CachedModel(f"me/model-{n}", n * GB, "") for n in range(1, 9))
    (finding,) = insufficient_disk.inspect(NEED, DiskSpace("/cache", 0, None, many))
    assert "me/model-8" in finding.message
    assert "me/model-3 " not in finding.message
    assert finding.message.endswith("and 3 more")
