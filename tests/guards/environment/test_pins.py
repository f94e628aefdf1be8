import pytest
from hypothesis import given
from hypothesis import strategies as st

from guards.environment import altered_packages, version_drift
from guards.environment.drift import drifts
from ledger.evidence.environment import Installed, Pins
from ledger.findings import Severity

PINS = Pins(
    "lockfiles/mt-4.57.6-cpu.txt",
    {
        "transformers": "4.57.6",
        "torch": "2.13.0+cpu",
        "numpy": "2.4.1",
        "tqdm": "4.67.1",
        "regex": "2026.1.1",
    },
)


VERSIONS = st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)).map(
    lambda v: "{}.{}.{}".format(*v)
)


@given(
    st.dictionaries(st.sampled_from("abcdef"), VERSIONS), st.dictionaries(st.sampled_from("abcdef"), VERSIONS)
)
def test_only_pinned_packages_drift_worst_first(pinned, installed):
    found = drifts(pinned, installed)
    assert {d.name for d in found} == {n for n, v in pinned.items() if installed.get(n) != v}
    assert [d.distance for d in found] == sorted(d.distance for d in found)


def test_the_same_packages_pass_whatever_else_is_installed():
    installed = Installed("3.11.9", {**PINS.versions, "mlflow": "3.14.0"})
    assert list(version_drift.inspect(PINS, installed)) == []


def test_the_worst_are_named_first_with_both_versions():
    versions = {"transformers": "5.0.0", "torch": "2.13.0+cu130", "numpy": "2.3.0", "tqdm": "4.67.2"}
    (finding,) = version_drift.inspect(PINS, Installed("3.11.9", versions))
    assert finding.severity is Severity.ERROR
    assert finding.message == (
        "5 of 5 packages differ from lockfiles/mt-4.57.6-cpu.txt: regex 2026.1.1 -> missing, "
        "transformers 4.57.6 -> 5.0.0, numpy 2.4.1 -> 2.3.0, tqdm 4.67.1 -> 4.67.2 and 1 more"
    )
    assert [row["distance"] for row in finding.evidence["packages"]] == [
        "missing",
        "major",
        "minor",
        "patch",
        "build",
    ]


def test_another_build_is_reported_as_such():
    (finding,) = version_drift.inspect(PINS, Installed("3.11", {**PINS.versions, "torch": "2.13.0+cu130"}))
    assert finding.message.endswith("torch 2.13.0+cpu -> 2.13.0+cu130 (another build)")


@pytest.mark.parametrize(
    ("altered", "named"),
    [
        ((), None),
        (("mlflow",), None),
        (("torch",), "torch is pinned"),
        (("tqdm", "numpy"), "numpy, tqdm are pinned"),
    ],
)
def test_altered_packages_are_reported_if_they_are_pinned(altered, named):
    found = list(altered_packages.inspect(PINS, Installed("3.11", PINS.versions, altered)))
    assert [f.severity for f in found] == ([Severity.WARNING] if named else [])
    assert all(f.message.startswith(named) for f in found)
