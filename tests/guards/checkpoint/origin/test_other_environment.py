from dataclasses import replace

import pytest

from guards.checkpoint.origin import other_environment as guard
from ledger.evidence.provenance import Origin
from ledger.findings import Severity, Skip

VERSIONS = {"torch": "2.13.0", "transformers": "4.57.6"}


def at(good, environment, versions):
    return replace(good, origin=Origin(environment=environment, versions=versions))


@pytest.mark.parametrize(
    ("environment", "versions", "reported"),
    [
        ("sha256:mt", VERSIONS, None),
        (None, VERSIONS, None),
        ("sha256:mt", {}, None),
        (
            "sha256:mt5",
            {**VERSIONS, "transformers": "5.0.0"},
            "reloaded with transformers 5.0.0 (4.57.6 at the save)",
        ),
        (None, {**VERSIONS, "torch": "2.9.0"}, "reloaded with torch 2.9.0 (2.13.0 at the save)"),
        (
            "sha256:mt2",
            VERSIONS,
            "reloaded in another environment, though the versions of the packages that matter are the same",
        ),
    ],
)
def test_other_packages_are_named(good, environment, versions, reported):
    found = list(guard.inspect(at(good, "sha256:mt", VERSIONS), at(good, environment, versions)))
    assert [(one.severity, one.message) for one in found] == (
        [(Severity.WARNING, reported)] if reported else []
    )


def test_an_unknown_environment_is_a_skip(good):
    (skip,) = guard.inspect(at(good, None, {}), at(good, "sha256:mt", VERSIONS))
    assert isinstance(skip, Skip)
