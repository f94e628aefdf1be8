"""The set-up script on a small project: real pip, real environments, wheels from a folder."""

import ast
import ensurepip
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools" / "setup_env.py"
BACKEND = """
import zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "project-1.0-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        info = "project-1.0.dist-info"
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: project\\nVersion: 1.0\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return name

build_wheel = build_editable
"""


@pytest.fixture(scope="session")
def setup_env():
    spec = importlib.util.spec_from_file_location("setup_env", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Project:
    """A folder laid out like this repository, and the only wheels that its pip can find."""

    def __init__(self, root):
        self.root, self.wheels = root, root / "wheels"
        self.pip_sees = {
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
        }
        for folder in ("tools", "lockfiles", "wheels"):
            (root / folder).mkdir()
        shutil.copy(SCRIPT, root / "tools")
        (root / "backend.py").write_text(BACKEND)
        (root / "pyproject.toml").write_text(
            '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        )
        # Every new environment has this pip already, so its hash is never checked.
        self.lock("tool", f"pip=={ensurepip.version()} \\\n    --hash=sha256:{'0' * 64}\n")
        self.lock("t5-lightning", self.wheel("torch", "2.13.0"))
        self.lock("t5-lightning-cpu", self.wheel("torch", "2.13.0+cpu"))

    def wheel(self, name, version):
        """Make a wheel; return its pin."""
        path = self.wheels / f"{name}-{version}-py3-none-any.whl"
        info = f"{name}-{version}.dist-info"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(f"{name}.py", f"__version__ = {version!r}\n")
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
        return f"{name}=={version} \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"

    def lock(self, name, text):
        (self.root / "lockfiles" / f"{name}.txt").write_text(text)

    def start(self):
        return subprocess.Popen(
            [sys.executable, str(self.root / "tools" / "setup_env.py")],
            env={**{key: value for key, value in os.environ.items() if key != "PYTHON"}, **self.pip_sees},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def set_up(self):
        process = self.start()
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    def torch(self):
        python = self.root / ".venv" / "bin" / "python"
        command = [str(python), "-c", "import torch; print(torch.__version__)"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def test_a_killed_setup_starts_over_and_a_complete_one_stays_until_a_lockfile_changes(project):
    process = project.start()
    while not (project.root / ".venv" / "bin" / "python").exists():
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()

    cpu_wheel = project.wheels / "torch-2.13.0+cpu-py3-none-any.whl"
    cpu_wheel.unlink()
    code, out, err = project.set_up()
    assert (code, err) == (0, "")
    assert "taking lockfiles/t5-lightning.txt: torch==2.13.0 can be had" in out
    assert project.torch() == "2.13.0"

    started = time.monotonic()
    assert project.set_up() == (0, "", "")
    assert time.monotonic() - started < 2

    leftover = next((project.root / ".venv").glob("lib/python*/site-packages")) / "leftover.py"
    leftover.touch()
    project.lock("t5-lightning", project.wheel("torch", "2.13.1"))
    assert project.set_up()[0] == 0
    assert project.torch() == "2.13.1"
    assert not leftover.exists()


@pytest.fixture
def asking(setup_env, project, monkeypatch):
    """A set-up that uses this interpreter's pip, which finds the project's wheels only."""
    for name, value in project.pip_sees.items():
        monkeypatch.setenv(name, value)
    setup = setup_env.Setup(project.root)
    setup.venv.mkdir()
    setup.python = Path(sys.executable)
    return setup


@pytest.mark.parametrize(("gpu", "chosen"), [(False, "t5-lightning-cpu"), (True, "t5-lightning")])
def test_where_both_are_available_a_gpu_decides(asking, setup_env, monkeypatch, capsys, gpu, chosen):
    monkeypatch.setattr(setup_env, "has_nvidia_gpu", lambda: gpu)
    assert asking.choose_variant() == chosen
    assert f"taking lockfiles/{chosen}.txt" in capsys.readouterr().out


def test_where_neither_is_available_pips_message_is_shown(asking, setup_env, project, capsys):
    for wheel in project.wheels.iterdir():
        wheel.unlink()
    with pytest.raises(setup_env.SetupError) as raised:
        asking.choose_variant()
    assert raised.value.args[0].endswith("found for torch===2.13.0")
    assert capsys.readouterr().out.count("cannot be had here") == 2


def test_an_environment_that_it_did_not_make_is_left_alone(project):
    mine = project.root / ".venv" / "mine.txt"
    mine.parent.mkdir()
    mine.touch()
    code, _, err = project.set_up()
    assert code == 3
    assert "was not made by this command, so it is left alone" in err
    assert mine.exists()


def test_only_a_named_python_replaces_another(setup_env, project, monkeypatch):
    setup = setup_env.Setup(project.root)
    monkeypatch.delenv("PYTHON", raising=False)
    assert setup.wanted("3.99.0")["python"] == "3.99.0"
    monkeypatch.setenv("PYTHON", sys.executable)
    assert setup.wanted("3.99.0")["python"] == sys.version.split()[0]


def test_an_environment_whose_interpreter_is_gone_is_incomplete(setup_env, project):
    setup = setup_env.Setup(project.root)
    setup.venv.mkdir()
    setup.write_stamp({"locks": "sha256:aa", "python": "3.11.0"})
    assert setup.found() == {"python": ""}


SAID = [
    ("OSError: [Errno 28] No space left on device", "no space left"),
    (
        "WARNING: Retrying: Temporary failure in name resolution\nERROR: No matching",
        "index cannot be reached",
    ),
    ("WARNING: Location x is ignored\nERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "DO NOT MATCH"),
]


@pytest.mark.parametrize(("output", "message"), SAID)
def test_pips_output_becomes_one_message(setup_env, output, message):
    assert message in setup_env.explain(output, Path("setup.log")).args[0]


def test_too_little_space_is_reported_before_the_download(setup_env, project, monkeypatch):
    setup = setup_env.Setup(project.root)
    setup.venv.mkdir()
    monkeypatch.setitem(setup_env.NEEDED_GIB, "t5-lightning", 10**9)
    with pytest.raises(setup_env.SetupError, match="GiB are free"):
        setup.check_space("t5-lightning")


def test_an_old_python_can_read_as_far_as_its_refusal():
    ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 7))


@pytest.mark.parametrize("variant", ["", "-cpu"])
@pytest.mark.parametrize("name", ["mt-4.57.6", "tool"])
def test_what_shares_the_environment_is_pinned_to_one_version(setup_env, name, variant):
    folder = SCRIPT.parents[1] / "lockfiles"
    widest = dict(
        line.split("==") for line in setup_env.pin_lines(folder / f"{setup_env.FAMILY}{variant}.txt")
    )
    path = folder / (f"{name}.txt" if name == "tool" else f"{name}{variant}.txt")
    pins = dict(line.split("==") for line in setup_env.pin_lines(path))
    assert {pin: version for pin, version in pins.items() if widest.get(pin, version) != version} == {}
    assert name == "tool" or pins.keys() <= widest.keys()
