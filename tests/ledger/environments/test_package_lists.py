"""Lists of packages of every kind. The files in tests/data/environments were written by uv 0.9, Poetry 2.5,
Pipenv and pip for one small project; only addresses and folders were replaced. The others are in the formats
that their tools document."""

import contextlib
import json
import platform
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.environments.conda import torch_build
from ledger.environments.diff.from_lockfiles import side_of_requirements
from ledger.environments.diff.ranking import suspects
from ledger.environments.lockfile import read
from ledger.environments.package_lists import read_list
from ledger.errors import LedgerError

DATA = Path(__file__).parents[2] / "data" / "environments"
HERE = {
    "python_full_version": "3.11.7",
    "python_version": "3.11",
    "sys_platform": "linux",
    "platform_system": "Linux",
}
ON_LINUX = pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"), reason="the expected packages are of Linux"
)


def versions(path):
    """Name to version, or to what is wanted; those that do not apply here in parentheses."""
    packages = side_of_requirements(path).packages
    return {
        name.partition(" ")[0] if not one.marker else f"({name.partition(' ')[0]})": one.version
        or one.wanted
        or one.origin["url"]
        for name, one in packages.items()
    }


INSTALLED = {"cycler": "0.11.0", "mine": "0.1", "tqdm": "4.67.1"}
WRITTEN = {
    "pip-list.txt": INSTALLED,
    "pip-list.json": INSTALLED,
    "pip-list-freeze.txt": {**INSTALLED, "pip": "23.2.1", "setuptools": "65.5.0"},
    "pip-inspect.json": INSTALLED,
    "freeze-utf16.txt": INSTALLED,
}


@pytest.mark.parametrize("name", WRITTEN)
def test_the_lists_that_pip_writes_name_the_same_packages(name):
    assert versions(DATA / name) == WRITTEN[name]


LOCKED = {"tqdm": "4.67.1", "cycler": "0.11.0"}
LOCKS = {
    "uv.lock": {**LOCKED, "zipp": "3.23.0"},
    "uv-export.txt": {**LOCKED, "zipp": "3.23.0"},
    "pylock.uv.toml": {**LOCKED, "zipp": "3.23.0"},
    "poetry.lock": {**LOCKED, "zipp": "3.23.0", "idna": "3.11"},
    "Pipfile.lock": {"tqdm": "4.67.1", "colorama": "0.4.6"},
}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lockfile_of_another_tool_can_be_installed_by_its_pins_and_hashes(name):
    lockfile = read(DATA / name)
    found = lockfile.versions(HERE)
    if name == "Pipfile.lock":  # which keeps the marker of the machine's own platform only
        found |= {"colorama": "0.4.6"}
    assert found == LOCKS[name]
    assert all(one.startswith("sha256:") for pin in lockfile.pins for one in pin.hashes)
    assert "example.org" not in lockfile.requirements(HERE)


def test_the_lockfile_of_uv_and_its_exports_agree():
    for name in ("uv-export.txt", "pylock.uv.toml"):
        a, b = side_of_requirements(DATA / "uv.lock"), side_of_requirements(DATA / name)
        assert [one.name for one in (*suspects(a, b), *suspects(b, a)) if one.hard] == []


UV = """
version = 1
requires-python = ">=3.11"
[[package]]
name = "mt"
source = { editable = "." }
dependencies = [{ name = "a", extra = ["x"], marker = "sys_platform == 'linux'" }, { name = "d" }]
[[package]]
name = "a"
version = "1"
source = { registry = "https://example.org" }
dependencies = [{ name = "b" }]
[package.optional-dependencies]
x = [{ name = "c", marker = "python_version >= '3'" }]
[[package]]
name = "b"
version = "2"
source = { registry = "https://example.org" }
dependencies = [{ name = "a" }]
[[package]]
name = "c"
version = "3"
source = { registry = "https://example.org" }
[[package]]
name = "d"
version = "4"
source = { git = "https://u:secret@example.org/d?rev=v4#0123456789abcdef" }
[[package]]
name = "left"
version = "9"
source = { registry = "https://example.org" }
"""


def test_uv_marks_packages_by_the_requirements_that_lead_to_them(tmp_path):
    path = tmp_path / "uv.lock"
    path.write_text(UV)
    found = {one.name: one for one in read_list(path).listed}
    linux, python = "(sys_platform == 'linux')", "(python_version >= '3')"
    assert {name: one.marker for name, one in found.items()} == {
        "mt": "",
        "a": linux,
        "b": linux,
        "c": f"{python} and {linux}",
        "d": "",
        "left": "'none' in extras",
    }
    assert found["d"].package.origin == {"url": "https://example.org/d", "commit": "0123456789abcdef"}
    with pytest.raises(LedgerError, match="takes a without a SHA-256"):
        read(path)


EXPLICIT = """\
# platform: linux-64
@EXPLICIT
https://conda.example.org/linux-64/python-3.10.13-hd12c33a_0_cpython.conda
https://conda.example.org/linux-64/pytorch-2.1.0-py3.10_cuda12.1_cudnn8.9.2_0.tar.bz2#{}
https://conda.example.org/noarch/typing_extensions-4.9.0-pyha770c72_0.conda
""".format("0" * 32)
LISTED = """\
# packages in environment at /opt/conda/envs/mt:
#
# Name                    Version                   Build  Channel
_libgcc_mutex             0.1                 conda_forge    conda-forge
python                    3.10.13         hd12c33a_0_cpython    conda-forge
pytorch                   2.1.0           py3.10_cuda12.1_cudnn8.9.2_0    pytorch
typing_extensions         4.9.0              pyha770c72_0    conda-forge
transformers              4.57.6                   pypi_0    pypi
"""
MICROMAMBA = """\
List of packages in environment: "/opt/mamba/envs/mt"

  Name               Version  Build                            Channel
──────────────────────────────────────────────────────────────────────────
  python             3.10.13  hd12c33a_0_cpython               conda-forge
  pytorch            2.1.0    py3.10_cuda12.1_cudnn8.9.2_0     pytorch
  typing_extensions  4.9.0    pyha770c72_0                     conda-forge
"""
JSON = """[
  {"name": "python", "version": "3.10.13", "build_string": "hd12c33a_0_cpython", "channel": "conda-forge"},
  {"name": "pytorch", "version": "2.1.0", "build_string": "py3.10_cuda12.1_cudnn8.9.2_0"},
  {"name": "typing_extensions", "version": "4.9.0", "build_string": "pyha770c72_0", "channel": "conda-forge"}
]"""
EXPORTED = """\
# platform: linux-64
python=3.10.13=hd12c33a_0_cpython
pytorch=2.1.0=py3.10_cuda12.1_cudnn8.9.2_0
typing_extensions=4.9.0=pyha770c72_0
"""
YAML = """\
name: mt
channels: [conda-forge]
dependencies:
  - python=3.10.13
  - conda-forge::pytorch=2.1.0=py3.10_cuda12.1_cudnn8.9.2_0
  - typing_extensions 4.9.0
prefix: /opt/conda/envs/mt
"""
CONDA_LOCK = """\
version: 1
metadata: {platforms: [linux-64]}
package:
- {name: python, version: 3.10.13, manager: conda, platform: linux-64, url: https://x/python-3.10.13-hd_0.conda}
- {name: pytorch, version: 2.1.0, manager: conda, platform: linux-64,
   url: https://x/pytorch-2.1.0-cuda121_0.conda, hash: {sha256: '00'}}
- {name: typing-extensions, version: 4.9.0, manager: pip, platform: linux-64, url: https://x/t.whl}
- {name: typing-extensions, version: 4.0.0, manager: pip, platform: osx-64, url: https://x/t.whl}
"""
PIXI = """\
version: 6
environments:
  test: {packages: {linux-64: [{pypi: https://x/other.whl}]}}
  default:
    channels: []
    packages:
      linux-64:
      - conda: https://x/linux-64/python-3.10.13-hd_0_cpython.conda
      - conda: https://x/linux-64/pytorch-2.1.0-cuda121_0.conda
      - pypi: https://x/typing_extensions-4.9.0-py3-none-any.whl
      osx-64: []
packages:
- conda: https://x/linux-64/python-3.10.13-hd_0_cpython.conda
- conda: https://x/linux-64/pytorch-2.1.0-cuda121_0.conda
  sha256: '00'
- pypi: https://x/other.whl
  name: other
  version: '1'
- pypi: https://x/typing_extensions-4.9.0-py3-none-any.whl
  name: typing-extensions
  version: 4.9.0
"""
CONDA = {
    "explicit.txt": EXPLICIT,
    "list.txt": LISTED,
    "micromamba.txt": MICROMAMBA,
    "list.json": JSON,
    "export.txt": EXPORTED,
    "environment.yml": YAML,
    "conda-lock.yml": CONDA_LOCK,
    "pixi.lock": PIXI,
}


@ON_LINUX
@pytest.mark.parametrize("name", CONDA)
def test_every_form_of_condas_list_names_the_same_packages(name, tmp_path):
    path = tmp_path / name
    path.write_text(CONDA[name])
    side = side_of_requirements(path)
    expected = {"torch": "2.1.0", "typing-extensions": "4.9.0"}
    assert versions(path) == expected | ({"transformers": "4.57.6"} if name == "list.txt" else {})
    assert (side.python, side.torch, side.whole) == ("3.10.13", "cu121", True)


def test_another_build_of_the_same_version_is_a_suspect(tmp_path):
    sides = []
    for name, build in (("a.txt", "py310h1_0"), ("b.txt", "py310h2_0")):
        (tmp_path / name).write_text(f"numpy=1.26.4={build}\n")
        sides.append(side_of_requirements(tmp_path / name))
    (found,) = suspects(*sides)
    assert (found.name, found.before, found.change.name) == ("numpy", "1.26.4 py310h1_0", "BUILD")


SPECS = [
    ("numpy", {"numpy": ""}),
    ("numpy=1.26", {"numpy": "==1.26.*"}),
    ("numpy=1.26.4", {"numpy": "1.26.4"}),
    ("numpy==1.26", {"numpy": "1.26"}),
    ("numpy>=1.26,<2", {"numpy": "<2,>=1.26"}),
    ("numpy 1.26.*", {"numpy": "==1.26.*"}),
    ("numpy=1.26.*", {"numpy": "==1.26.*"}),
    ("numpy >1|<3", {"numpy": ">1|<3"}),
    ("conda-forge::numpy=1.26.4=py310h_0", {"numpy": "1.26.4"}),
    ("pip: [transformers==4.57.6, 'sacrebleu>=2']", {"transformers": "4.57.6", "sacrebleu": ">=2"}),
    ("pip: ['-r more.txt']", {"tqdm": "4"}),
]


@pytest.mark.parametrize(("spec", "packages"), SPECS)
def test_a_dependency_of_an_environment_is_a_version_or_a_range(spec, packages, tmp_path):
    (tmp_path / "more.txt").write_text("tqdm==4\n")
    path = tmp_path / "environment.yml"
    path.write_text(f"dependencies:\n- {spec}\n")
    found = side_of_requirements(path).packages
    assert {name: one.version or one.wanted for name, one in found.items()} == packages


def test_what_is_not_understood_of_an_environment_is_listed(tmp_path):
    path = tmp_path / "environment.yml"
    path.write_text("dependencies:\n- numpy=1.26.4\n- pytorch[build=cuda*]\n- pip: ['no requirement !']\n")
    side = side_of_requirements(path)
    assert len(side.unread) == 2


PDM = """
[metadata]
lock_version = "4.5.0"
requires_python = ">=3.11"
[[package]]
name = "Tqdm"
version = "4.67.1"
groups = ["default"]
files = [{file = "tqdm.whl", hash = "sha256:00"}]
[[package]]
name = "idna"
version = "3.11"
groups = ["docs"]
files = [{file = "idna.whl", hash = "sha256:11"}]
[[package]]
name = "colorama"
version = "0.4.6"
groups = ["default"]
marker = "sys_platform == 'win32'"
files = [{file = "colorama.whl", hash = "sha256:22"}]
"""
OTHERS = {
    "pdm.lock": (PDM, {"tqdm": "4.67.1", "(idna)": "3.11", "(colorama)": "0.4.6"}),
    "pyproject.toml": ("[project]\nname='x'\ndependencies=['a==1', 'b>=2']\n", {"a": "1", "b": ">=2"}),
    "legacy.txt": ("tqdm (4.67.1)\nmine (0.1, /home/ann/mine)\n", {"tqdm": "4.67.1", "mine": "0.1"}),
    "noisy.txt": (
        "$ pip list\nPackage Version\n------- -------\ntqdm    4.67.1\n[notice] A new release of pip\n",
        {"tqdm": "4.67.1"},
    ),
    "verbose.txt": (
        "Package Version Editable project location Location           Installer\n"
        "------- ------- ------------------------- ------------------ ---------\n"
        "tqdm    4.67.1                            /venv/lib          pip\n"
        "mine    0.1     /home/ann/my mt           /home/ann/my mt    pip\n",
        {"tqdm": "4.67.1", "mine": "0.1"},
    ),
    "outdated.txt": (
        "Package Version Latest Type\n------- ------- ------ -----\ntqdm    4.67.1  4.70.1 wheel\n",
        {"tqdm": "4.67.1"},
    ),
    "git.lock": (
        '[[package]]\nname="a"\nversion="1"\n[package.source]\ntype="git"\nurl="https://x.org/a"\n'
        'resolved_reference="f00"\n[metadata]\ncontent-hash="0"\n',
        {"a": "1"},
    ),
    "marked.lock": (
        '[[package]]\nname="a"\nversion="1"\noptional=true\n[package.markers]\nmain="os_name == \'nt\'"\n'
        '[extras]\nx=["a"]\n[metadata]\ncontent-hash="0"\n',
        {"(a)": "1"},
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_kinds_of_lists_are_recognized_by_their_content(name, tmp_path):
    text, packages = OTHERS[name]
    path = tmp_path / name
    path.write_text(text)
    assert versions(path) == packages


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("Dockerfile", "FROM x\n", "docker run"),
        ("Pipfile", "[packages]\n", "Pipfile.lock"),
        ("uv.lock", "[[package", "cannot be parsed"),
        ("uv.lock", "version = 1\npackage = 3\n", "not a lockfile of a known tool"),
        ("uv.lock", "version = 1\n[[package]]\nversion = '1'\n", "does not have the structure"),
        ("poetry.lock", "package = [1]\n[metadata]\ncontent-hash = '0'\n", "does not have the structure"),
        ("list.json", "{}", "is not JSON of pip list"),
        ("list.json", "[1, 2", "cannot be parsed"),
        ("a.yml", "a: [", "is not valid YAML"),
        ("a.yml", "a: 1", "is not an environment.yml"),
        ("a.yml", "dependencies: {a: 1}", "names no package"),
        ("pyproject.toml", "[tool.poetry]\n", "not a lockfile of a known tool"),
        ("cp949.txt", ("# 자막을 번역하는 모델의 환경\ntqdm==4\n" * 9).encode("cp949"), "iconv -f CP949"),
    ],
)
def test_what_cannot_be_read_is_one_message_with_a_way_out(name, text, says, tmp_path):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(LedgerError) as raised:
        side_of_requirements(path)
    assert says in f"{raised.value.message} {raised.value.hint}"
    assert raised.value.exit_code == 3


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("list.txt", "line 4"),
        ("environment.yml", "does not pin every package"),
        ("pixi.lock", "does not pin"),
    ],
)
def test_condas_packages_cannot_be_installed_by_pip(name, says, tmp_path):
    path = tmp_path / name
    path.write_text(CONDA[name])
    with pytest.raises(LedgerError, match=says):
        read(path)


@pytest.mark.parametrize(
    ("build", "torch"),
    [("py3.10_cuda12.1_cudnn8.9.2_0", "cu121"), ("cuda120_py310h_0", "cu120"), ("py3.10_cpu_0", "cpu"),
     ("cpu_mkl_py310h_0", "cpu"), ("py310hb13e2d6_0", None)],
)  # fmt: skip
def test_the_build_of_torch_is_in_condas_build_string(build, torch):
    assert torch_build(build) == torch


TOML_LIKE = st.recursive(
    st.sampled_from(["1", "a", "sys_platform == 'linux'", "sha256:00", "", "."]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["name", "version", "package", "source", "dependencies", "wheels", "hash", "marker", "markers",
             "groups", "files", "metadata", "content-hash", "lock_version", "extra", "installed", "_meta",
             "default", "packages", "environments", "pip", "url", "git", "editable"]
        ),
        inner,
        max_size=5,
    ),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=50)
@given(content=TOML_LIKE, name=st.sampled_from(["x.json", "x.yml", "uv.lock"]))
def test_a_malformed_document_is_a_list_or_one_error(content, name, tmp_path_factory):
    path = tmp_path_factory.mktemp("lists") / name
    text = json.dumps(content)
    if name == "uv.lock" and isinstance(content, dict):
        text = "".join(
            f"{json.dumps(key)} = {json.dumps(one).replace(': ', ' = ')}\n" for key, one in content.items()
        )
    path.write_text(text)
    with contextlib.suppress(LedgerError):
        read_list(path)
