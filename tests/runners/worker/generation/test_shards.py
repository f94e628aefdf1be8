import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.worker.files import write_atomically
from runners.worker.generation.shards import (
    MOST_SHARDS,
    Shard,
    ShardFolder,
    lines_in,
    plan_batches,
    plan_shards,
)

LENGTHS = st.dictionaries(st.integers(0, 5000), st.integers(1, 300), max_size=200)
SHARD = Shard((3, 1), ("하나", "둘"), (1,), (2,), unfinished=(3,))


@given(LENGTHS, st.integers(1, 9))
def test_every_line_is_in_one_batch_longest_first(lengths: dict[int, int], size: int) -> None:
    batches = plan_batches(lengths, size)
    lines = [line for batch in batches for line in batch]
    assert sorted(lines) == sorted(lengths)
    assert [lengths[line] for line in lines] == sorted(lengths.values(), reverse=True)
    assert all(len(batch) == size for batch in batches[:-1])


@given(LENGTHS, st.integers(1, 9), st.randoms())
def test_the_plan_does_not_depend_on_the_order_of_discovery(
    lengths: dict[int, int], size: int, random
) -> None:
    shuffled = list(lengths.items())
    random.shuffle(shuffled)
    assert plan_batches(dict(shuffled), size) == plan_batches(lengths, size)


@given(st.integers(0, 5000))
def test_shards_hold_all_batches_in_order_and_are_not_too_many(count: int) -> None:
    batches = [(number,) for number in range(count)]
    plan = plan_shards(batches)
    assert [batch for shard in plan for batch in shard] == batches
    assert len(plan) <= MOST_SHARDS
    assert [line for lines in lines_in(plan) for line in lines] == list(range(count))


def test_a_shard_comes_back_as_it_was_written(tmp_path: Path) -> None:
    folder = ShardFolder(tmp_path, "sha256:job")
    folder.write(4, SHARD)
    assert folder.read(4, [3, 1]) == SHARD
    assert [path.name for path in tmp_path.iterdir()] == ["00004.json"], "no temporary file is left"


def test_a_shard_is_used_only_by_its_job_under_its_number_for_its_lines(tmp_path: Path) -> None:
    ShardFolder(tmp_path, "sha256:job").write(4, SHARD)
    assert ShardFolder(tmp_path, "sha256:other").read(4, [3, 1]) is None
    assert ShardFolder(tmp_path, "sha256:job").read(5, [3, 1]) is None
    assert ShardFolder(tmp_path, "sha256:job").read(4, [1, 3]) is None


@given(st.data())
def test_no_change_of_a_byte_goes_unseen(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = ShardFolder(tmp_path_factory.mktemp("shards"), "sha256:job")
    folder.write(0, SHARD)
    path = folder.path / "00000.json"
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    read = folder.read(0, [3, 1])
    assert read is None or read == SHARD  # a space turned into a tab is the same JSON


@pytest.mark.parametrize(
    "content", ["", "[]", "null", "{}", json.dumps({"job": "sha256:job", "content": []})]
)
def test_what_is_no_shard_counts_as_absent(tmp_path: Path, content: str) -> None:
    (tmp_path / "00000.json").write_text(content)
    assert ShardFolder(tmp_path, "sha256:job").read(0, []) is None


LIMITED = """
import resource, sys
from pathlib import Path
from runners.worker.files import write_atomically
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
write_atomically(Path(sys.argv[1]), b"x" * 1000)
"""


def test_no_space_leaves_the_old_file_and_no_rubbish(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)], check=False, capture_output=True, text=True
    )
    assert "File too large" in done.stderr
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
