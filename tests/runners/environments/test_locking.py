"""Compiling lockfiles: real pip-compile and uv, packages from a folder that is laid out as an index."""

import hashlib
import os
import zipfile

import pytest

from ledger.environments.lockfile import read
from ledger.errors import LedgerError
from runners.environments.installers import Uv, find_uv
from runners.environments.locking import lock_environment, write_pylock


@pytest.fixture
def index(tmp_path, monkeypatch):
    """Two places that pip sees: an index, and a folder of wheels, which are added to by `release`."""
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    (tmp_path / "wheels").mkdir()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", (tmp_path / "index").as_uri())
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "pip-cache"))
    return tmp_path


def release(index, name, *versions, requires=()):
    """Put a package where pip sees it: a +cpu build into the folder, all others into the index."""
    page = index / "index" / name
    page.mkdir(parents=True, exist_ok=True)
    for version in versions:
        folder = index / "wheels" if "+" in version else page
        info = f"{name}-{version}.dist-info"
        needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
        with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
            archive.writestr(
                f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}"
            )
            archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
            archive.writestr(f"{info}/RECORD", "")
    links = (f'<a href="{path.name}">{path.name}</a>' for path in sorted(page.glob("*.whl")))
    (page / "index.html").write_text(f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>")


def ask(index, text):
    source = index / "lockfiles" / "mt-1.0.in"
    source.parent.mkdir(exist_ok=True)
    source.write_text(text)
    return source


def lock(source, *options):
    said = []
    written = lock_environment(source, source.parent.parent, options, said.append)
    return [path.name for path in written], said


def pins(source, variant=""):
    lockfile = read(source.with_name(f"{source.stem}{variant}.txt"))
    return {pin.name: pin.version for pin in lockfile.pins}


def test_each_variant_has_its_own_torch_and_no_address(index):
    release(index, "torch", "2.0", "2.0+cpu", requires=["peer"])
    release(index, "peer", "1.0")
    source = ask(index, "torch==2.0\n")
    assert lock(source)[0] == ["mt-1.0.txt", "mt-1.0-cpu.txt"]
    assert pins(source) == {"torch": "2.0", "peer": "1.0"}
    assert pins(source, "-cpu") == {"torch": "2.0+cpu", "peer": "1.0"}
    wheel = index / "index" / "torch" / "torch-2.0-py3-none-any.whl"
    text = source.with_suffix(".txt").read_text()
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() in text
    assert "ledger env lock mt-1.0" in text
    for path in source.parent.glob("*.txt"):
        assert str(index) not in path.read_text()
        assert "://" not in path.read_text()


def test_versions_are_kept_until_newer_ones_are_asked_for(index):
    release(index, "peer", "1.0", "1.1")
    source = ask(index, "peer\n")
    source.with_suffix(".txt").write_text("peer==1.0\n")
    assert lock(source)[0] == ["mt-1.0.txt"]
    assert pins(source) == {"peer": "1.0"}
    lock(source, "--upgrade")
    assert pins(source) == {"peer": "1.1"}


def test_without_a_cpu_build_its_lockfile_is_left_as_it_is(index):
    release(index, "torch", "2.0")
    source = ask(index, "torch==2.0\n")
    cpu = source.with_name("mt-1.0-cpu.txt")
    cpu.write_text("torch==1.9+cpu\n")
    written, said = lock(source)
    assert written == ["mt-1.0.txt"]
    assert "torch 2.0+cpu is not available" in said[-1]
    assert cpu.read_text() == "torch==1.9+cpu\n"


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("nosuch\n", "mt-1.0.in could not be compiled: nosuch is not available"),
        ("peer==1.0\npeer==1.1\n", "peer==1.0 and peer==1.1 contradict each other"),
        ("two words\n", "'two words' is not a requirement"),
        ("peer @ {wheel}\n", "cannot be pinned"),
        ("needy\n", "needs torch but does not pin torch==VERSION"),
    ],
)
def test_what_cannot_be_locked_is_one_message_and_changes_nothing(index, asked, says):
    release(index, "torch", "2.0")
    release(index, "peer", "1.0", "1.1")
    release(index, "needy", "1.0", requires=["torch"])
    wheel = index / "index" / "peer" / "peer-1.0-py3-none-any.whl"
    source = ask(index, asked.format(wheel=wheel.as_uri()))
    source.with_suffix(".txt").write_text("peer==0.9\n")
    with pytest.raises(LedgerError) as raised:
        lock(source)
    assert says in raised.value.message
    assert "\n" not in raised.value.message
    assert {path.name for path in source.parent.iterdir()} == {"mt-1.0.in", "mt-1.0.txt"}
    assert source.with_suffix(".txt").read_text() == "peer==0.9\n"


def test_a_pylock_has_the_same_pins(index):
    release(index, "peer", "1.0", "1.1")
    lockfile = index / "mt.txt"
    hashed = hashlib.sha256((index / "index" / "peer" / "peer-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    lockfile.write_text(f"peer==1.0 --hash=sha256:{hashed}\n")
    uv = find_uv()
    assert isinstance(uv, Uv)
    write_pylock(lockfile, index / "pylock.mt.toml", uv)
    found = read(index / "pylock.mt.toml")
    assert (found.name, [(pin.name, pin.version, pin.hashes) for pin in found.pins]) == (
        "mt",
        [("peer", "1.0", (f"sha256:{hashed}",))],
    )
