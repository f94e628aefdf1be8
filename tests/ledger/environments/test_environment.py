import copy

import pytest

from ledger.environments.environment import build
from ledger.environments.lockfile import read
from ledger.evidence import Unobserved
from ledger.evidence.environment import Pins
from ledger.utils.hashing import digest_json

RAW = {
    "interpreter": "/venv/bin/python",
    "python": {"version": "3.11.7", "implementation": "cpython"},
    "markers": {"python_version": "3.11", "sys_platform": "linux"},
    "torch": "cpu",
    "distributions": {
        "torch": {"version": "2.13.0+cpu", "files": "sha256:aa", "changed": []},
        "numpy": {"version": "2.4.6", "files": "sha256:bb", "changed": []},
        "rich": {"version": "15.0.0"},
    },
    "machine": {"platform": "linux-x86_64", "libc": "glibc 2.36", "variables": {}},
    "reported": {"host": "vm", "kernel": "6.1"},
}


@pytest.fixture
def variants(tmp_path):
    path = tmp_path / "mt.txt"
    path.write_text(
        'torch==2.13.0+cpu\nnumpy==2.4.6\npywin32==311 ; sys_platform == "win32"\n', encoding="utf-8"
    )
    return [read(path)]


def changed(*keys, to):
    raw = copy.deepcopy(RAW)
    inner = raw
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = to
    return raw


def test_each_digest_is_over_exactly_the_facts_beside_it(variants):
    environment = build(RAW, variants)
    assert environment.digest == digest_json(environment.facts)
    assert environment.machine_digest == digest_json(environment.machine)
    assert environment.facts["packages"].keys() == {"torch", "numpy"}


# What is changed, whether the environment's digest changes, and whether the machine's does.
CHANGES = [
    (("distributions", "torch", "version"), "2.13.1+cpu", True, False),
    (("distributions", "numpy", "files"), "sha256:cc", True, False),
    (("distributions", "numpy", "changed"), ["numpy/__init__.py"], True, False),
    (("distributions", "numpy", "origin"), {"url": "file:///src", "editable": True}, True, False),
    (("distributions", "rich", "version"), "16.0.0", False, False),
    (("distributions", "click"), {"version": "8.5.1"}, False, False),
    (("python", "version"), "3.11.8", True, False),
    (("torch",), "cuda 13.0", True, False),
    (("machine", "libc"), "glibc 2.41", False, True),
    (("machine", "variables"), {"OMP_NUM_THREADS": "2"}, False, True),
    (("reported", "kernel"), "6.2", False, False),
    (("interpreter",), "/other/bin/python", False, False),
]


@pytest.mark.parametrize(("keys", "value", "environment", "machine"), CHANGES)
def test_each_fact_is_in_its_digest_and_in_no_other(variants, keys, value, environment, machine):
    before, after = build(RAW, variants), build(changed(*keys, to=value), variants)
    assert (before.digest != after.digest) is environment
    assert (before.machine_digest != after.machine_digest) is machine


def test_without_a_lockfile_every_package_counts_by_version():
    before = build(RAW)
    assert isinstance(before.pins, Unobserved)
    assert before.facts["packages"]["rich"] == {"version": "15.0.0"}
    assert build(changed("distributions", "rich", "version", to="16.0.0")).digest != before.digest


def test_the_evidence_names_what_is_pinned_here_and_what_is_altered(variants):
    raw = changed("distributions", "numpy", "changed", to=["numpy/__init__.py"])
    raw["distributions"]["rich"]["origin"] = {"url": "file:///src", "editable": True}
    environment = build(raw, variants)
    assert environment.pins == Pins("mt.txt", {"torch": "2.13.0+cpu", "numpy": "2.4.6"})
    assert environment.installed.altered == ("numpy", "rich")
    assert environment.installed.python == "3.11.7"


def test_no_secret_of_an_origin_is_kept(variants):
    origin = {
        "url": "https://ann:hunter2@example.org/numpy.whl?token=hunter2",
        "editable": False,
        "commit": None,
    }
    environment = build(changed("distributions", "numpy", "origin", to=origin), variants)
    assert environment.facts["packages"]["numpy"]["origin"] == {"url": "https://example.org/numpy.whl"}
    assert "hunter2" not in repr(environment)
