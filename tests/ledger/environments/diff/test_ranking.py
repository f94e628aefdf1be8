from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.environments.diff.ranking import suspects
from ledger.evidence.environment import EnvironmentSide, Package
from ledger.evidence.suspects import Change, Kind

MACHINE = {"platform": "linux-x86_64", "libc": "glibc 2.36", "cuda": None, "cudnn": None, "variables": {}}
GOOD = {
    "transformers": "4.57.6",
    "torch": "2.13.0+cpu",
    "huggingface-hub": "0.36.2",
    "numpy": "2.4.6",
    "regex": "2026.1.1",
}


def side(versions=GOOD, /, **facts):
    packages = {name: Package(version) for name, version in versions.items()}
    told = {"python": "3.11.7", "torch": "cpu", "machine": MACHINE, **facts}
    return EnvironmentSide("a side", "run", packages=told.pop("packages", packages), **told)


def found(a, b):
    return [(str(one.kind), one.name, one.change.label, one.hard) for one in suspects(a, b)]


def test_equal_sides_have_no_suspects():
    assert suspects(side(), side()) == []


def test_what_the_worker_imported_comes_first_then_the_larger_step():
    after = {
        "transformers": "5.0.0",
        "torch": "2.13.0+cu130",
        "huggingface-hub": "1.33.0",
        "numpy": "2.5.0",
        "regex": "2027.1.1",
        "typer": "0.29",
    }
    imported = frozenset(("transformers", "torch", "huggingface-hub", "numpy"))
    assert found(side(imported=imported), side(after)) == [
        ("package", "transformers", "major", True),
        ("package", "huggingface-hub", "major", True),
        ("package", "numpy", "minor", True),
        ("package", "torch", "build", True),
        ("package", "regex", "major", False),
        ("package", "typer", "added", False),
    ]


# What differs on the second side, and the one suspect that it makes.
ONE_DIFFERENCE = [
    ({"packages": {"a": Package("1.0")}}, {"packages": {"a": Package("1.0.1")}}, "a", "patch", True),
    ({"packages": {"a": Package("1.0rc1")}}, {"packages": {"a": Package("1.0")}}, "a", "release", True),
    ({"packages": {"a": Package("1.0")}}, {"packages": {}}, "a", "removed", True),
    ({"packages": {}}, {"packages": {"a": Package("1.0")}}, "a", "added", True),
    ({"packages": {"a": Package("1.0")}}, {"packages": {"a": Package(None, ">=2")}}, "a", "range", True),
    (
        {"packages": {"a": Package("1.0")}},
        {"packages": {"a": Package("1.0", origin={"url": "file:///src", "editable": True})}},
        "a",
        "origin",
        True,
    ),
    (
        {"packages": {"a": Package("1.0")}},
        {"packages": {"a": Package("1.0", changed=("a/b.py",))}},
        "a",
        "altered",
        True,
    ),
    ({}, {"python": "3.12.7"}, "python", "minor", True),
    ({}, {"python": "3.11.9"}, "python", "patch", False),
    ({}, {"torch": "cu130"}, "torch build", "other", True),
    ({}, {"machine": {**MACHINE, "cuda": "13.0.1"}}, "cuda", "other", True),
    ({}, {"machine": {**MACHINE, "platform": "linux-aarch64"}}, "platform", "other", True),
    ({}, {"machine": {**MACHINE, "libc": "glibc 2.41"}}, "libc", "other", False),
    ({}, {"machine": {**MACHINE, "variables": {"OMP_NUM_THREADS": "2"}}}, "$OMP_NUM_THREADS", "other", False),
]


@pytest.mark.parametrize(("before", "after", "name", "change", "hard"), ONE_DIFFERENCE)
def test_each_difference_is_one_suspect(before, after, name, change, hard):
    (one,) = suspects(side(**before), side(**after))
    assert (one.name, one.change.label, one.hard) == (name, change, hard)


NO_DIFFERENCE = [
    ({"packages": {"a": Package("1.0")}}, {"packages": {"a": Package("1.0.0")}}),
    ({"packages": {"a": Package("1.5")}}, {"packages": {"a": Package(None, ">=1,<2")}}),
    ({"packages": {"a": Package("1.0", files="sha256:aa")}}, {"packages": {"a": Package("1.0")}}),
    ({"packages": None}, {}),
    ({"python": None}, {}),
    ({"machine": None}, {"machine": {**MACHINE, "libc": "glibc 2.41"}}),
    ({}, {"packages": {name: Package(v) for name, v in {**GOOD, "mlflow": "3"}.items()}, "whole": True}),
    ({"packages": {"transformers": Package("4.57.6")}, "few": True}, {}),
]


def test_a_list_of_names_and_versions_tells_no_origin():
    here = side(packages={"a": Package("1.0", origin={"url": "file:///src", "editable": True})})
    listed = replace(here, kind="wandb", packages={"a": Package("1.0")})
    assert suspects(listed, here) == []


@pytest.mark.parametrize(("before", "after"), NO_DIFFERENCE)
def test_what_is_not_known_is_no_difference(before, after):
    assert suspects(side(**before), side(**after)) == []
    assert suspects(side(**after), side(**before)) == []


def test_another_build_of_torch_is_told_once():
    after = side({**GOOD, "torch": "2.13.0+cu130"}, torch="cu130")
    assert found(side(), after) == [("package", "torch", "build", True)]


def test_without_imports_nobody_is_cleared():
    (one,) = suspects(side(), side({**GOOD, "regex": "2026.1.2"}))
    assert (one.imported, one.hard) == (None, True)


def test_kinds_come_in_the_order_of_suspicion():
    after = side(
        {**GOOD, "regex": "1"},
        python="3.12.1",
        torch="cu130",
        machine={**MACHINE, "libc": "glibc 2.41"},
        settings={"model": {"use_cache": False}},
    )
    before = replace(side(), settings={"model": {"use_cache": True}})
    assert [one.kind for one in suspects(before, after)] == list(Kind)


VERSIONS = st.dictionaries(
    st.sampled_from("abcdef"), st.sampled_from(["1.0", "1.0.1", "1.1", "2.0", "2.0+cpu", "2.0rc1"])
)
IMPORTED = st.none() | st.frozensets(st.sampled_from("abcdef"))


@given(VERSIONS, VERSIONS, IMPORTED)
def test_both_directions_accuse_the_same_packages_and_imported_ones_first(before, after, imported):
    there = suspects(side(before, imported=imported), side(after))
    back = suspects(side(after), side(before, imported=imported))
    assert {one.name for one in there} == {one.name for one in back}
    assert {one.name for one in there} == {
        name for name in {*before, *after} if before.get(name) != after.get(name)
    }
    known = [one.imported for one in there]
    assert known == sorted(known, key=[True, None, False].index)
    for group in (True, None, False):
        steps = [one.change for one in there if one.imported is group]
        assert steps == sorted(steps)
    assert all(isinstance(one.change, Change) for one in there)
