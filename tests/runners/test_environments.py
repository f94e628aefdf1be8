"""Building environments: real venvs, real pip, wheels from a folder."""

import hashlib
import os
import signal
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ledger.errors import LedgerError
from ledger.lockfile import find
from runners.environments import PARTIAL, default_cache, ensure

BUILD = (
    "import sys; from pathlib import Path; from ledger.lockfile import find; "
    "from runners.environments import ensure; "
    "print(ensure(find('mt', Path(sys.argv[1])), Path(sys.argv[2])))"
)


@pytest.fixture
def index(tmp_path, monkeypatch):
    """What pip sees: a folder of wheels, and nothing else."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    return wheels


@pytest.fixture
def locks(tmp_path):
    folder = tmp_path / "lockfiles"
    folder.mkdir()
    return folder


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def wheel(index, name, version):
    """Make a wheel; return its pin."""
    path = index / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", f"__version__ = {version!r}\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def version_in(python, name="torch"):
    command = [str(python), "-c", f"import {name}; print({name}.__version__)"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_it_is_built_once_and_anew_when_the_lockfile_changes(index, locks, cache):
    (locks / "mt.txt").write_text(wheel(index, "torch", "2.0"))
    python = ensure(find("mt", locks), cache)
    assert version_in(python) == "2.0"
    made = python.parent.stat().st_mtime_ns
    assert ensure(find("mt", locks), cache) == python
    assert python.parent.stat().st_mtime_ns == made

    (locks / "mt.txt").write_text(wheel(index, "torch", "2.1"))
    newer = ensure(find("mt", locks), cache)
    assert newer != python
    assert (version_in(newer), version_in(python)) == ("2.1", "2.0")


@pytest.mark.parametrize("seen", ["2.0", "2.0+cpu"])
def test_the_variant_is_the_one_whose_torch_can_be_had(index, locks, cache, seen):
    for name, version in (("mt", "2.0"), ("mt-cpu", "2.0+cpu")):
        (locks / f"{name}.txt").write_text(wheel(index, "torch", version))
    for path in index.iterdir():
        if f"-{seen}-" not in path.name:
            path.unlink()
    assert version_in(ensure(find("mt", locks), cache)) == seen


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda pin: pin[:-3] + "00\n", "does not match its hash"),
        (lambda pin: pin.replace("peer==1.0", "peer==1.1"), "peer==1.1 is not to be had here"),
        (lambda pin: pin.split(" ")[0] + "\n", "--require-hashes"),
    ],
)
def test_what_cannot_be_built_is_one_message_and_leaves_nothing(index, locks, cache, spoil, says):
    (locks / "mt.txt").write_text(wheel(index, "torch", "2.0") + spoil(wheel(index, "peer", "1.0")))
    with pytest.raises(LedgerError, match=says) as raised:
        ensure(find("mt", locks), cache)
    assert raised.value.exit_code == 3
    assert "\n" not in raised.value.message
    assert [path for path in cache.iterdir() if path.is_dir()] == []


def test_a_cache_that_cannot_be_written_is_one_message(index, locks, tmp_path):
    (locks / "mt.txt").write_text(wheel(index, "torch", "2.0"))
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="cannot be built in"):
        ensure(find("mt", locks), tmp_path / "file" / "cache")


def test_killed_half_way_it_starts_afresh(index, locks, cache):
    (locks / "mt.txt").write_text(wheel(index, "torch", "2.0"))
    command = [sys.executable, "-c", BUILD, str(locks), str(cache)]
    process = subprocess.Popen(command, start_new_session=True)
    while not list(cache.glob(f"*{PARTIAL}/bin")):
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not list(cache.glob("*/bin/python")) or list(cache.glob(f"*{PARTIAL}"))

    assert version_in(ensure(find("mt", locks), cache)) == "2.0"
    assert not list(cache.glob(f"*{PARTIAL}"))


def test_two_at_once_build_it_once(index, locks, cache):
    (locks / "mt.txt").write_text(wheel(index, "torch", "2.0"))
    command = [sys.executable, "-c", BUILD, str(locks), str(cache)]
    with ThreadPoolExecutor(2) as pool:
        done = list(
            pool.map(lambda _: subprocess.run(command, capture_output=True, text=True, check=True), "ab")
        )
    assert done[0].stdout == done[1].stdout
    log = next(cache.glob("*.log")).read_text()
    assert log.count("--require-hashes") == 1


def test_the_cache_is_where_the_user_says(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    monkeypatch.delenv("LEDGER_ENVIRONMENTS", raising=False)
    assert default_cache() == Path("/caches/ledger/environments")
    monkeypatch.setenv("LEDGER_ENVIRONMENTS", "/mine")
    assert default_cache() == Path("/mine")
