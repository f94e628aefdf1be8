"""Whether a built environment is still what it was: one real environment, damaged in each way."""

import shutil
import subprocess
import sys

import pytest

from ledger.environments.lockfile import Lockfile
from runners.environments.manifest import NAME, is_whole, write_manifest


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "mt"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    packages(folder).joinpath("peer.py").write_text("peer = 1\n")
    write_manifest(folder, Lockfile(folder / "mt.txt", (), "sha256:00"), "pip")
    return folder


@pytest.fixture
def environment(made, tmp_path):
    return shutil.copytree(made, tmp_path / "mt", symlinks=True)


def packages(folder):
    return next(folder.glob("lib/python*/site-packages"))


def drop_a_file(folder):
    (packages(folder) / "peer.py").unlink()


def shorten_a_file(folder):
    (packages(folder) / "peer.py").write_text("")


def lose_its_python(folder):
    (folder / "bin" / "python").unlink()
    (folder / "bin" / "python").symlink_to(folder / "gone")


def get_another_python(folder):
    (folder / "bin" / "python").unlink()
    (folder / "bin" / "python").write_text("#!/bin/sh\necho 3.11.0\n")
    (folder / "bin" / "python").chmod(0o755)


def lose_the_manifest(folder):
    (folder / NAME).unlink()


def get_a_torn_manifest(folder):
    (folder / NAME).write_text('{"files": [')


def get_a_wrong_manifest(folder):
    (folder / NAME).write_text("[1]")


@pytest.mark.parametrize(
    "damage",
    [
        drop_a_file,
        shorten_a_file,
        lose_its_python,
        get_another_python,
        lose_the_manifest,
        get_a_torn_manifest,
        get_a_wrong_manifest,
    ],
)
def test_damage_is_seen(environment, damage):
    assert is_whole(environment)
    damage(environment)
    assert not is_whole(environment)


def test_byte_code_is_nobodys_damage(environment):
    cache = packages(environment) / "__pycache__"
    cache.mkdir()
    (cache / "peer.cpython-311.pyc").write_bytes(b"")
    assert is_whole(environment)
    assert not is_whole(environment / "nothing")
