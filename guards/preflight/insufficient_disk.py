"""PRE003: the disk or the quota is too small for the files that the run will write."""

from collections.abc import Iterator

from rich.filesize import decimal

from guards.guard import Explanation
from ledger.evidence.preflight import CachedModel, DiskNeed, DiskSpace
from ledger.findings import Finding, Severity
from ledger.utils.plural import and_more

CODE = "PRE003"
TITLE = "there is not enough disk space"
READS = (DiskNeed, DiskSpace)
EXPLANATION = Explanation(
    means="The run will write more bytes (the model's download and the output) than this user can still "
    "write there: the file system's free space or the rest of the quota, whichever is less.",
    matters="A download that fails with `Disk quota exceeded` (error 122) leaves a partial model in the "
    "cache, which occupies the space and has to be downloaded again.",
    do="Delete models that you no longer need from the Hugging Face cache: hf cache delete (with "
    "huggingface_hub 1.x: hf cache rm model/NAME; before 0.34: huggingface-cli delete-cache). Or move the "
    "cache: set HF_HOME to a folder on a larger disk.",
)
MOST_NAMED = 5


def inspect(expected: DiskNeed, actual: DiskSpace) -> Iterator[Finding]:
    """Compare the bytes needed with the free bytes of disk and quota."""
    available, limit = _available(actual)
    missing = expected.needed_bytes - available
    if missing <= 0:
        return
    largest = sorted(actual.freeable, key=lambda model: (-model.size_bytes, model.name))
    yield Finding(
        CODE,
        Severity.ERROR,
        f"the run needs {decimal(expected.needed_bytes)} ({expected.how}) and {limit} {actual.path} has "
        f"{decimal(available)} left: {decimal(missing)} too little; {_remedy(largest, missing)}",
        measured=available,
        threshold=expected.needed_bytes,
        evidence={
            "path": actual.path,
            "free_bytes": actual.free_bytes,
            "quota_free_bytes": actual.quota_free_bytes,
            "freeable": [
                {"name": m.name, "size_bytes": m.size_bytes, "last_used": m.last_used} for m in largest
            ],
        },
    )


def _available(space: DiskSpace) -> tuple[int, str]:
    if space.quota_free_bytes is not None and space.quota_free_bytes < space.free_bytes:
        return space.quota_free_bytes, "your disk quota at"
    return space.free_bytes, "the disk at"


def _remedy(largest: list[CachedModel], missing: int) -> str:
    if not largest:
        return "the Hugging Face cache contains nothing that could be deleted"
    models = [f"{model.name} ({decimal(model.size_bytes)}, {_used(model)})" for model in largest]
    total = sum(model.size_bytes for model in largest)
    enough = "" if total >= missing else f", which together are only {decimal(total)}"
    return (
        f"hf cache delete (or huggingface-cli delete-cache) can free {and_more(models, MOST_NAMED)}{enough}"
    )


def _used(model: CachedModel) -> str:
    return f"last used {model.last_used[:10]}" if model.last_used else "never used"
