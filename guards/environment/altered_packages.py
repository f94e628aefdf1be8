"""ENV002: a pinned package is installed, but its files are not those of the released wheel."""

from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.environment import Installed, Pins
from ledger.findings import Finding, Severity

CODE = "ENV002"
TITLE = "a pinned package is editable or altered"
READS = (Pins, Installed)
EXPLANATION = Explanation(
    means="A package that the lockfile pins is installed in editable mode or from a direct URL, or its "
    "files differ from those of its wheel.",
    matters="The version number no longer identifies the code: no lockfile and no commit contains an edit in "
    "site-packages.",
    do="Reinstall the released wheel: pip install --force-reinstall --no-deps NAME==VERSION. If you need the "
    "change, release it under its own version number and pin that.",
)


def inspect(expected: Pins, actual: Installed) -> Iterator[Finding]:
    """One warning that names every altered package among the pinned ones."""
    altered = sorted(expected.versions.keys() & set(actual.altered))
    if altered:
        verb = "is" if len(altered) == 1 else "are"
        yield Finding(
            CODE,
            Severity.WARNING,
            f"{', '.join(altered)} {verb} pinned but {verb} not the released wheel "
            "(editable, from a direct URL, or files changed)",
            measured=len(altered),
            threshold=0,
            evidence={"packages": altered, "lockfile": expected.lockfile},
        )
