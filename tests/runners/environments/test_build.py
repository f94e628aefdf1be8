"""Building environments: real venvs, real pip and uv, wheels from a folder."""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from ledger.environments.lockfile import find
from ledger.errors import LedgerError, UsageError
from runners.environments.build import PARTIAL, built, default_cache, ensure
from runners.environments.installers import choose_installer, uv_environment

BUILD = (
    "import sys; from pathlib import Path; from ledger.environments.lockfile import find; "
    "from runners.environments.build import ensure; "
    "print(ensure(find('mt', Path(sys.argv[1])), Path(sys.argv[2])))"
)


@pytest.fixture(params=["pip", "uv"])
def installer(request, monkeypatch):
    """Each test in which the installer says or does something of its own runs with both."""
    monkeypatch.setenv("LEDGER_INSTALLER", request.param)
    return request.param


@pytest.fixture
def index(installer, tmp_path, monkeypatch):
    """What pip is set up to see, and uv with it: a folder of wheels, and nothing else."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
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


def wheel(index, name, version, padding=0):
    """Make a wheel; return its pin. `padding`: bytes that its installation takes, and its file does not."""
    path = index / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.py", f"__version__ = {version!r}\n" + "#" * padding)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/entry_points.txt", f"[console_scripts]\n{name} = {name}:main\n")
        archive.writestr(f"{info}/RECORD", "")
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def version_in(python, name="torch"):
    command = [str(python), "-c", f"import {name}; print({name}.__version__)"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def folders(cache):
    return [path.name for path in cache.iterdir() if path.is_dir()] if cache.exists() else []


@pytest.mark.parametrize("installer", ["uv"], indirect=True)
def test_it_is_built_once_and_anew_when_the_lockfile_changes(index, locks, cache):
    (locks / "mt.txt").write_text(wheel(index, "peer", "2.0"))
    python = ensure(find("mt", locks), cache)
    assert version_in(python, "peer") == "2.0"
    made = python.parent.stat().st_mtime_ns
    assert ensure(find("mt", locks), cache) == python
    assert python.parent.stat().st_mtime_ns == made

    (locks / "mt.txt").write_text(wheel(index, "peer", "2.1"))
    newer = ensure(find("mt", locks), cache)
    assert newer != python
    assert (version_in(newer, "peer"), version_in(python, "peer")) == ("2.1", "2.0")


@pytest.mark.parametrize("installer", ["uv"], indirect=True)
def test_a_lockfile_of_the_same_content_has_the_same_environment_whatever_its_name(index, locks, cache):
    (locks / "mt-1.txt").write_text(wheel(index, "peer", "2.0"))
    python = ensure(find("mt-1", locks), cache)
    shutil.copy(locks / "mt-1.txt", locks / "mt.txt")
    assert built(find("mt", locks), cache) == ensure(find("mt", locks), cache) == python
    assert len(folders(cache)) == 1


@pytest.mark.parametrize("installer", ["uv"], indirect=True)
@pytest.mark.parametrize("seen", ["2.0", "2.0+cpu"])
def test_the_variant_is_the_one_whose_torch_can_be_had(index, locks, cache, seen):
    for name, version in (("mt", "2.0"), ("mt-cpu", "2.0+cpu")):
        (locks / f"{name}.txt").write_text(wheel(index, "torch", version))
    for path in index.iterdir():
        if f"-{seen}-" not in path.name:
            path.unlink()
    assert version_in(ensure(find("mt", locks), cache)) == seen


def test_the_build_that_the_hash_is_of_is_taken_where_there_are_two(index, locks, cache):
    (locks / "mt.txt").write_text(wheel(index, "torch", "2.0"))
    wheel(index, "torch", "2.0+cpu")
    assert version_in(ensure(find("mt", locks), cache)) == "2.0"


@pytest.mark.parametrize("installer", ["uv"], indirect=True)
def test_what_the_lockfile_says_of_wheels_and_markers_holds(index, locks, cache, monkeypatch):
    monkeypatch.delenv("PIP_FIND_LINKS")
    (locks / "wheels").symlink_to(index)
    elsewhere = wheel(index, "windows", "1.0").replace(" --hash", ' ; sys_platform == "win32" --hash')
    (locks / "mt.txt").write_text(f"--find-links wheels\n{elsewhere}{wheel(index, 'peer', '1.0')}")
    python = ensure(find("mt", locks), cache)
    assert version_in(python, "peer") == "1.0"
    with pytest.raises(subprocess.CalledProcessError):
        version_in(python, "windows")


UNBUILDABLE = {
    "wrong hash": (lambda pin: pin[:-3] + "00\n", "peer==1.0 does not match its hash"),
    "no such version": (lambda pin: pin.replace("==1.0", "==1.1"), "peer==1.1 is not available"),
    "no such package": (lambda pin: pin.replace("peer==", "nopeer=="), r"nopeer\S* is not available"),
    "no hash": (lambda pin: pin.split(" ")[0] + "\n", "a package without a hash"),
}


@pytest.mark.parametrize(("spoil", "says"), UNBUILDABLE.values(), ids=UNBUILDABLE)
def test_what_cannot_be_built_is_one_message_and_leaves_nothing(index, locks, cache, spoil, says):
    (locks / "mt.txt").write_text(wheel(index, "other", "2.0") + spoil(wheel(index, "peer", "1.0")))
    with pytest.raises(LedgerError, match=says) as raised:
        ensure(find("mt", locks), cache)
    assert raised.value.exit_code == 3
    assert "\n" not in raised.value.message
    assert folders(cache) == []


@pytest.mark.parametrize("installer", ["pip"], indirect=True)
def test_what_pip_is_set_up_for_elsewhere_does_not_empty_an_environment(index, locks, cache, monkeypatch):
    (locks / "mt.txt").write_text(wheel(index, "peer", "1.0"))
    for name, value in (("TARGET", str(index / "target")), ("USER", "1"), ("DRY_RUN", "1")):
        monkeypatch.setenv(f"PIP_{name}", value)
    assert version_in(ensure(find("mt", locks), cache), "peer") == "1.0"

    (index / "pip.conf").write_text(f"[install]\nroot = {index / 'root'}\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(index / "pip.conf"))
    (locks / "mt.txt").write_text(wheel(index, "other", "1.0"))
    with pytest.raises(LedgerError, match="pip installed other elsewhere, or not at all"):
        ensure(find("mt", locks), cache)
    assert len(folders(cache)) == 1


def test_no_password_of_an_index_is_left_in_environment_or_log(index, locks, cache, monkeypatch):
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    address = "https://ann:hunter2hunter2@127.0.0.1:9/simple?token=abc123abc123"
    (locks / "mt.txt").write_text(f"--extra-index-url {address}\n{wheel(index, 'peer', '1.0')}")
    with suppress(LedgerError):  # pip, which is told of no index, builds it; uv wants to ask this one
        ensure(find("mt", locks), cache)
    written = [path for path in cache.rglob("*") if path.is_file() and not path.is_symlink()]
    assert any(path.suffix == ".log" for path in written)
    for path in written:
        assert not re.search(rb"hunter2|abc123", path.read_bytes()), path


def test_without_a_network_it_says_so(index, locks, cache, monkeypatch):
    (locks / "mt.txt").write_text(wheel(index, "peer", "1.0"))
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")  # of none pip says nothing
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with pytest.raises(LedgerError, match="the package index cannot be reached"):
        ensure(find("mt", locks), cache)
    assert folders(cache) == []


def test_a_full_disk_is_one_message_and_leaves_nothing(index, locks, cache):
    (locks / "mt.txt").write_text(wheel(index, "peer", "1.0", padding=40_000_000))
    cache.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=20m", "none", str(cache)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        with pytest.raises(LedgerError, match="no space left") as raised:
            ensure(find("mt", locks), cache)
        assert raised.value.exit_code == 3
        assert folders(cache) == []
    finally:
        subprocess.run(["umount", "--lazy", str(cache)], check=True)


@pytest.mark.parametrize("installer", ["uv"], indirect=True)
def test_a_cache_that_cannot_be_written_is_one_message(index, locks, tmp_path):
    (locks / "mt.txt").write_text(wheel(index, "torch", "2.0"))
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="cannot be built in"):
        ensure(find("mt", locks), tmp_path / "file" / "cache")


@pytest.mark.parametrize("installer", ["uv"], indirect=True)
def test_killed_half_way_it_starts_afresh(index, locks, cache):
    (locks / "mt.txt").write_text(wheel(index, "peer", "1.0"))
    command = [sys.executable, "-c", BUILD, str(locks), str(cache)]
    process = subprocess.Popen(command, start_new_session=True)
    while not list(cache.glob(f"*{PARTIAL}/bin")):
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert built(find("mt", locks), cache) is None

    assert version_in(ensure(find("mt", locks), cache), "peer") == "1.0"
    assert not list(cache.glob(f"*{PARTIAL}"))


@pytest.mark.parametrize("installer", ["uv"], indirect=True)
def test_two_at_once_build_it_once(index, locks, cache):
    (locks / "mt.txt").write_text(wheel(index, "peer", "1.0"))
    command = [sys.executable, "-c", BUILD, str(locks), str(cache)]
    with ThreadPoolExecutor(2) as pool:
        done = list(
            pool.map(lambda _: subprocess.run(command, capture_output=True, text=True, check=True), "ab")
        )
    assert done[0].stdout == done[1].stdout
    log = next(cache.glob("*.log")).read_text()
    assert log.count("--require-hashes") == 1


@pytest.mark.parametrize("installer", ["uv"], indirect=True)
def test_a_damaged_one_is_never_used_and_built_anew(index, locks, cache):
    (locks / "mt.txt").write_text(wheel(index, "peer", "1.0"))
    python = ensure(find("mt", locks), cache)
    # In place: where files were linked, the installer's own cache would be damaged with it.
    next(python.parent.parent.glob("lib/python*/site-packages/peer.py")).write_text("")
    assert built(find("mt", locks), cache) is None
    assert ensure(find("mt", locks), cache) == python
    assert version_in(python, "peer") == "1.0"
    assert len(folders(cache)) == 1


PYLOCK = """
lock-version = "1.0"
created-by = "somebody"
requires-python = ">=3.11"
environments = ["sys_platform == 'linux'"]
default-groups = ["models"]

[[packages]]
name = "torch"
version = "2.0"
index = "https://ann:secret@index.example.org/simple"
wheels = [{{ url = "https://example.org/torch-2.0-py3-none-any.whl", hashes = {{ sha256 = "{torch}" }} }}]

[[packages]]
name = "peer"
version = "1.0"
marker = "'models' in dependency_groups"
archive = {{ url = "{folder}/peer-1.0-py3-none-any.whl", hashes = {{ sha256 = "{peer}" }} }}

[[packages]]
name = "docs"
version = "1.0"
marker = "'docs' in extras"
wheels = [{{ path = "docs-1.0-py3-none-any.whl", hashes = {{ sha256 = "{torch}" }} }}]
"""


def test_a_pylock_is_built_like_any_lockfile(index, locks, cache):
    torch, peer = (
        wheel(index, *one).split("sha256:")[1].strip() for one in (("torch", "2.0"), ("peer", "1.0"))
    )
    text = PYLOCK.format(torch=torch, peer=peer, folder=index.as_uri())
    (locks / "pylock.mt.toml").write_text(text)
    python = ensure(find("mt", locks), cache)
    assert (version_in(python), version_in(python, "peer")) == ("2.0", "1.0")
    with pytest.raises(subprocess.CalledProcessError):
        version_in(python, "docs")
    assert "secret" not in next(cache.glob("*.log")).read_text()
    for script in ("peer", "activate"):
        text = python.with_name(script).read_text()
        assert str(python.parent.parent) in text
        assert PARTIAL not in text


def test_the_installer_is_uv_unless_the_user_says_otherwise(monkeypatch):
    monkeypatch.delenv("LEDGER_INSTALLER", raising=False)
    assert choose_installer().name == "uv"
    monkeypatch.setenv("LEDGER_INSTALLER", "pip")
    assert choose_installer().name == "pip"
    monkeypatch.setenv("LEDGER_INSTALLER", "conda")
    with pytest.raises(UsageError, match="'conda'"):
        choose_installer()


def test_uv_is_told_what_pip_is_set_up_for_unless_it_is_set_up_itself(tmp_path, monkeypatch):
    (tmp_path / "pip.conf").write_text(
        "[global]\nindex-url = https://mirror.example.org/simple\nproxy = http://proxy.example.org\n"
        "[install]\nfind-links =\n    /wheels\n    /more\n"
    )
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("PIP_PROXY", "http://other.example.org")
    given = {"XDG_CONFIG_HOME": str(tmp_path)}
    monkeypatch.setenv("PIP_CERT", "/ca.pem")
    assert uv_environment(given) == {
        **given,
        "SSL_CERT_FILE": "/ca.pem",
        "UV_DEFAULT_INDEX": "https://mirror.example.org/simple",
        "UV_FIND_LINKS": "/wheels,/more",
        "ALL_PROXY": "http://other.example.org",
    }
    given["UV_DEFAULT_INDEX"] = "https://uv.example.org/simple"
    assert uv_environment(given) == given
    del given["UV_DEFAULT_INDEX"]
    (tmp_path / "uv").mkdir()
    (tmp_path / "uv" / "uv.toml").write_text("")
    assert uv_environment(given) == given


def test_the_cache_is_where_the_user_says(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    monkeypatch.delenv("LEDGER_ENVIRONMENTS", raising=False)
    assert default_cache() == Path("/caches/ledger/environments")
    monkeypatch.setenv("LEDGER_ENVIRONMENTS", "/mine")
    assert default_cache() == Path("/mine")
