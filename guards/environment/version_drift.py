"""ENV001: the installed packages differ from those of the lockfile."""

from collections.abc import Iterator

from guards.environment.drift import drifts
from guards.guard import Explanation
from ledger.evidence.environment import Installed, Pins
from ledger.findings import Finding, Severity
from ledger.utils.plural import and_more, count

CODE = "ENV001"
TITLE = "the installed packages differ from the lockfile"
READS = (Pins, Installed)
EXPLANATION = Explanation(
    means="A package that the spec's lockfile pins is missing from the experiment's environment, or has "
    "another version or build (2.13.0+cpu is another build than 2.13.0). Packages that the lockfile does not "
    "pin are ignored.",
    matters="Defaults change between versions without an error: transformers 5.0.0 changed use_cache, "
    "report_to and the data type that a file loads as. A result from other packages does not reproduce "
    "the recorded one.",
    do="`ledger run` builds the environment that the lockfile pins and runs in it, unless drift is allowed; "
    "`ledger env build NAME` builds it beforehand. If you want the new version, require it in NAME.in, "
    "compile it with `ledger env lock NAME` and commit the lockfile, so that the change is recorded.",
)
MOST_NAMED = 4


def inspect(expected: Pins, actual: Installed) -> Iterator[Finding]:
    """One finding for all packages that differ, the worst few by name."""
    found = drifts(expected.versions, actual.versions)
    if not found:
        return
    total = count(len(expected.versions), "package")
    verb = "differs" if len(found) == 1 else "differ"
    named = and_more([str(drift) for drift in found], MOST_NAMED)
    yield Finding(
        CODE,
        Severity.ERROR,
        f"{len(found)} of {total} {verb} from {expected.lockfile}: {named}",
        measured=len(found),
        threshold=0,
        evidence={
            "lockfile": expected.lockfile,
            "python": actual.python,
            "packages": [drift.to_json() for drift in found],
        },
    )
