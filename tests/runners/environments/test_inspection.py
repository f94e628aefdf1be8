import base64
import hashlib
import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from ledger.environments.lockfile import read
from ledger.errors import LedgerError
from runners.environments.inspection import capture
from runners.worker import environment_facts

SITE = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
MODULE = "VALUE = 1\n"


def install(environment, name, version, *, module=MODULE, installer="pip", origin=None):
    """What an installer leaves of a wheel with one module: files, metadata, RECORD, and its own extras."""
    site = environment / SITE
    info = site / f"{name}-{version}.dist-info"
    info.mkdir()
    script = environment / "bin" / name
    script.write_text(f"#!{environment}/bin/python\n", encoding="utf-8")
    own = {
        f"{name}.py": module,
        f"{info.name}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
    }
    theirs = {f"{info.name}/INSTALLER": installer, f"../../../bin/{name}": script.read_text(encoding="utf-8")}
    if origin:
        theirs[f"{info.name}/direct_url.json"] = json.dumps(origin)
    rows = []
    for path, text in {**own, **theirs}.items():
        (site / path).write_text(text, encoding="utf-8")
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
        rows.append(f"{path},sha256={digest},{len(text.encode())}")
    rows += [f"__pycache__/{name}.pyc,,", f"{info.name}/RECORD,,"]
    (info / "RECORD").write_text("\n".join(rows) + "\n", encoding="utf-8")


@pytest.fixture
def make(tmp_path):
    """Make a real environment, without pip, called by a name."""

    def made(name):
        venv.create(tmp_path / name, with_pip=False, symlinks=True)
        return tmp_path / name

    return made


@pytest.fixture
def lock(tmp_path):
    path = tmp_path / "mt.txt"
    path.write_text("my-package==1.0\n", encoding="utf-8")
    return [read(path)]


def look(environment, lock=()):
    return capture(environment / "bin" / "python", lock)


def test_equal_packages_have_one_digest_wherever_and_however_they_were_installed(make, lock):
    one, other = make("one"), make("other")
    install(one, "My_Package", "1.0")
    install(other, "My_Package", "1.0", installer="uv")
    install(other, "tool", "3.1")
    assert look(one, lock).digest == look(other, lock).digest
    assert look(one, lock).installed.versions == {"my-package": "1.0"}
    assert look(one).digest != look(other).digest  # without a lockfile the tool counts too


def test_another_wheel_of_the_same_version_has_another_digest(make, lock):
    one, other = make("one"), make("other")
    install(one, "my_package", "1.0")
    install(other, "my_package", "1.0", module="VALUE = 2\n")
    assert look(one, lock).digest != look(other, lock).digest
    assert look(other, lock).installed.altered == ()


@pytest.mark.parametrize("edit", [lambda path: path.write_text(MODULE + "VALUE = 2\n"), Path.unlink])
def test_a_file_changed_after_it_was_installed_is_seen(make, lock, edit):
    environment = make("one")
    install(environment, "my_package", "1.0")
    before = look(environment, lock)
    edit(environment / SITE / "my_package.py")
    after = look(environment, lock)
    assert before.digest != after.digest
    assert after.installed.altered == ("my-package",)
    assert after.facts["packages"]["my-package"]["changed"] == ["my_package.py"]


def test_an_editable_install_is_altered_and_its_address_keeps_no_secret(make, lock):
    environment = make("one")
    install(
        environment,
        "my_package",
        "1.0",
        origin={"url": "https://ann:hunter2@example.org/x?t=hunter2", "dir_info": {"editable": True}},
    )
    seen = look(environment, lock)
    assert seen.installed.altered == ("my-package",)
    assert seen.facts["packages"]["my-package"]["origin"] == {
        "url": "https://example.org/x",
        "editable": True,
    }
    assert "hunter2" not in repr(seen)


def test_a_broken_origin_or_record_is_no_crash(make, lock):
    environment = make("one")
    install(environment, "my_package", "1.0", origin=["not", "an", "object"])
    (environment / SITE / "my_package-1.0.dist-info" / "RECORD").write_text(
        '"unclosed\na,b\n', encoding="utf-8"
    )
    assert look(environment, lock).facts["packages"]["my-package"]["origin"] == {"url": "unreadable"}


def test_a_missing_package_is_missing_from_facts_and_evidence(make, lock):
    seen = look(make("one"), lock)
    assert seen.facts["packages"] == {}
    assert seen.installed.versions == {}


def test_this_interpreter_says_the_same_from_inside_and_from_outside():
    pinned = read(Path(__file__).parents[3] / "lockfiles" / "mt-4.57.6-cpu.txt")
    inside = capture(Path(sys.executable), [pinned])
    command = [
        sys.executable,
        "-P",
        "-X",
        "utf8",
        environment_facts.__file__,
        *(pin.name for pin in pinned.pins),
    ]
    outside = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert inside.facts["torch"] == outside["torch"]
    for name, package in inside.facts["packages"].items():
        assert package["files"] == outside["distributions"][name]["files"]


def test_no_environment_variable_is_read_but_those_listed(make, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setenv("HF_TOKEN", "hunter2")
    seen = look(make("one"))
    assert seen.machine["variables"]["OMP_NUM_THREADS"] == "2"
    assert seen.machine["variables"].keys() <= set(environment_facts.VARIABLES)
    assert "hunter2" not in repr(seen)


@pytest.mark.parametrize(
    ("flags", "level"), [("sse2", "DEFAULT"), ("avx2 fma", "AVX2"), ("avx512f avx2 fma", "AVX2")]
)
def test_the_cpu_level_needs_every_flag_of_it(flags, level):
    assert environment_facts.level_of(set(flags.split())) == level


def test_the_cpu_level_is_torchs_own():
    torch = pytest.importorskip("torch")
    if "ATEN_CPU_CAPABILITY" in os.environ or environment_facts.cpu_capability() is None:
        pytest.skip("torch's level was set by hand, or this is no x86")
    assert environment_facts.cpu_capability() == torch.backends.cpu.get_cpu_capability()


INTERPRETERS = {
    "missing": (None, "cannot be started"),
    "silent": ("#!/bin/sh\nexit 3\n", "exit code 3, no output"),
    "crashing": ("#!/bin/sh\necho 'ImportError: no encodings' >&2\nexit 1\n", "ImportError: no encodings"),
    "endless": ("#!/bin/sh\nexec sleep 60\n", "within 0.3 s"),
    "talking": ("#!/bin/sh\necho '[1, 2]'\n", "reported no packages"),
}


@pytest.mark.parametrize(("script", "problem"), INTERPRETERS.values(), ids=INTERPRETERS)
def test_what_is_no_python_is_told(tmp_path, script, problem):
    interpreter = tmp_path / "python"
    if script:
        interpreter.write_text(script, encoding="utf-8")
        interpreter.chmod(0o755)
    with pytest.raises(LedgerError, match=problem):
        capture(interpreter, timeout=0.3 if "sleep" in (script or "") else 60)
