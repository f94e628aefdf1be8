"""The wheel alone: what somebody has who installs the package without a clone of this repository."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {"mlflow", "torch", "transformers", "pandas", "scipy"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of what git tracks, built offline."""
    folder = tmp_path_factory.mktemp("wheel")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        copy = folder / "source" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy, follow_symlinks=False)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
    ]
    subprocess.run([*command, "--wheel-dir", str(folder), str(folder / "source")], check=True)
    return next(folder.glob("*.whl"))


@pytest.fixture
def repository(tmp_path):
    """An empty git repository."""
    folder = tmp_path / "empty"
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


def outside(**variables):
    """The environment of somebody who has no clone: nothing of this checkout is on Python's path."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "LEDGER"))}
    return {**kept, "LEDGER_SEND": "never", **variables}


def make_venv(folder, *arguments):
    """Create an environment, install into it with uv, and return its `ledger`."""
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    command = [uv, "pip", "install", "--quiet", "--python", str(folder / "bin/python"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=outside())
    if done.returncode and "--no-index" not in arguments:
        pytest.skip(f"the package index cannot be reached: {done.stderr.strip()[-200:]}")
    assert done.returncode == 0, done.stderr
    return str(folder / "bin/ledger")


def test_an_empty_repository_rehearses_its_first_experiment(wheel, repository, tmp_path):
    """The packages are those of this environment, which the lockfile in the wheel pins."""
    ledger = make_venv(tmp_path / "venv", "--no-deps", "--no-index", str(wheel))
    packages = next((tmp_path / "venv/lib").glob("python*")) / "site-packages"
    (packages / "shared.pth").write_text(sysconfig.get_path("purelib") + "\n")
    for arguments in (["init"], ["run", "first", "--rehearse"]):
        done = subprocess.run(
            [ledger, *arguments],
            cwd=repository,
            env=outside(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE"),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert "PASS  rehearsal first-" in done.stdout
    assert (repository / "lockfiles/mt-4.57.6.txt").is_file()


def test_a_plain_installation_is_light_and_names_the_extras(wheel, repository, tmp_path):
    ledger = make_venv(tmp_path / "venv", str(wheel))
    packages = next((tmp_path / "venv/lib").glob("python*")) / "site-packages"
    assert not HEAVY & {path.name for path in packages.iterdir()}

    def run(*arguments):
        return subprocess.run(
            [ledger, *arguments], cwd=repository, env=outside(), capture_output=True, text=True, check=False
        )

    (repository / "out.txt").write_text("猫がいます。\n犬がいます。\n")
    for arguments in (
        ["init"],
        ["run", "--", "true"],
        ["check", "out.txt", "--lang", "ja"],
        ["log"],
        ["fsck"],
    ):
        assert run(*arguments).returncode == 0, arguments
    for extra, arguments in (
        ("mlflow", ["sync"]),
        ("mlflow", ["ui"]),
        ("export", ["export", "true", "--format", "in-toto"]),
        ("ja", ["check", "out.txt", "--lang", "ja", "--reference", "out.txt"]),
    ):
        done = run(*arguments)
        assert done.returncode == 3, done.stdout + done.stderr
        assert f"pip install 'experiment-ledger[{extra}]'" in done.stderr
