import pytest

from guards.environment import (
    DIFFERENCES,
    changed_interpreter,
    changed_packages,
    changed_settings,
    minor_differences,
)
from guards.guard import inspect
from ledger.evidence import Evidence
from ledger.evidence.environment import EnvironmentSide, Package
from ledger.findings import Severity, Skip, Verdict

MACHINE = {"platform": "linux-x86_64", "libc": "glibc 2.36"}


def side(versions, /, **facts):
    packages = {name: Package(version) for name, version in versions.items()}
    reported = {"python": "3.11.7", "machine": MACHINE, "settings": {"model": {"use_cache": True}}, **facts}
    return EnvironmentSide("run exp5-1a2b3c", "run", packages=packages, **reported)


GOOD = side({"transformers": "4.57.6", "regex": "2026.1"}, imported=frozenset(("transformers",)))


def codes(before, after):
    report = inspect(DIFFERENCES, Evidence(before), Evidence(after))
    return {finding.code: finding.severity for finding in report.findings}, report


@pytest.mark.parametrize(
    ("after", "messages"),
    [
        (side({"transformers": "4.57.6", "regex": "2026.1"}), {}),
        (side({"transformers": "5.0.0", "regex": "2026.1"}), {"ENV003": Severity.ERROR}),
        (side({"transformers": "4.57.6", "regex": "2027.1"}), {"ENV006": Severity.INFO}),
        (
            side({"transformers": "4.57.6", "regex": "2026.1"}, python="3.12.0"),
            {"ENV004": Severity.ERROR},
        ),
        (
            side({"transformers": "4.57.6", "regex": "2026.1"}, machine={**MACHINE, "libc": "musl"}),
            {"ENV006": Severity.INFO},
        ),
        (
            side({"transformers": "4.57.6", "regex": "2026.1"}, settings={"model": {"use_cache": False}}),
            {"ENV005": Severity.ERROR},
        ),
    ],
)
def test_hard_differences_are_errors_and_soft_ones_a_note(after, messages):
    found, report = codes(GOOD, after)
    assert found == messages
    assert (report.verdict is Verdict.FAIL) is (Severity.ERROR in messages.values())


def test_the_most_suspicious_are_named_with_both_values():
    after = side(dict.fromkeys(("transformers", "numpy", "a", "b", "c", "regex"), "5.0.0"))
    (finding,) = changed_packages.inspect(side({"transformers": "4.57.6", "numpy": "2.4.6"}), after)
    assert finding.message == (
        "6 differences in packages that the worker imports: transformers 4.57.6 -> 5.0.0, "
        "numpy 2.4.6 -> 5.0.0, a none -> 5.0.0, b none -> 5.0.0 and 2 more"
    )
    assert finding.measured == len(finding.evidence["differences"]) == 6


@pytest.mark.parametrize(
    ("guard", "blind"),
    [
        (changed_packages, {"packages": None}),
        (changed_interpreter, {"python": None, "torch": None, "machine": None}),
        (changed_settings, {"settings": None}),
    ],
)
def test_what_a_side_does_not_tell_is_skipped_with_the_reason(guard, blind):
    from dataclasses import replace

    part = next(iter(blind))
    unknown = replace(
        GOOD, unknown={part: "nobody wrote it down", "machine": "nobody wrote it down"}, **blind
    )
    for sides in ((GOOD, unknown), (unknown, GOOD)):
        (skip,) = guard.inspect(*sides)
        assert skip == Skip(guard.CODE, "run exp5-1a2b3c: nobody wrote it down")


def test_differences_that_hardly_matter_are_counted_together():
    after = side({"transformers": "4.57.6", "regex": "2027.1"}, machine={**MACHINE, "libc": "musl"})
    (finding,) = minor_differences.inspect(GOOD, after)
    assert finding.message == ("2 minor differences: regex 2026.1 -> 2027.1, libc glibc 2.36 -> musl")
