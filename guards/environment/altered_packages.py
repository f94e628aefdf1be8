"""ENV002: a pinned package is installed, but not as its wheel was released."""

from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.environment import Installed, Pins
from ledger.findings import Finding, Severity

CODE = "ENV002"
TITLE = "a pinned package is editable or altered"
READS = (Pins, Installed)
EXPLANATION = Explanation(
    means="A package that the lockfile pins is installed in editable mode or from a direct URL, or its "
    "files are not those that its wheel brought.",
    matters="Its version number no longer says what code runs: an edit in site-packages is in no lockfile "
    "and no commit.",
    do="Install the released wheel again: pip install --force-reinstall --no-deps NAME==VERSION. If you "
    "need the change, release it under a version of its own and pin that.",
)


def inspect(expected: Pins, actual: Installed) -> Iterator[Finding]:
    """Name the altered packages among the pinned ones."""
    altered = sorted(expected.versions.keys() & set(actual.altered))
    if altered:
        names = ", ".join(altered)
        says = "is pinned and is" if len(altered) == 1 else "are pinned and are"
        yield Finding(
            CODE,
            Severity.WARNING,
            f"{names} {says} not the released wheel (editable, from a direct URL, or files changed)",
            measured=len(altered),
            threshold=0,
            evidence={"packages": altered, "lockfile": expected.lockfile},
        )
