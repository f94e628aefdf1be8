"""ENV001: the installed packages are not those of the lockfile."""

from collections.abc import Iterator

from guards.environment.drift import drifts
from guards.guard import Explanation
from ledger.evidence.environment import Installed, Pins
from ledger.findings import Finding, Severity

CODE = "ENV001"
TITLE = "the installed packages differ from the lockfile"
READS = (Pins, Installed)
EXPLANATION = Explanation(
    means="A package that the spec's lockfile pins is missing in the experiment's environment, or has "
    "another version or build (2.13.0+cpu is another build than 2.13.0). Packages that the lockfile "
    "does not pin are left out.",
    matters="Defaults change between versions without an error: transformers 5.0.0 changed use_cache, "
    "report_to and the data type that a file loads as. A result from other packages is no repetition of "
    "the recorded one.",
    do="`ledger run` builds what the lockfile pins and runs with that, unless drift is allowed; `ledger env "
    "build NAME` does it beforehand. If the new version is what you want, say so in NAME.in, compile it with "
    "`ledger env lock NAME` and commit the lockfile: the change is then on the record.",
)
MOST_NAMED = 4


def inspect(expected: Pins, actual: Installed) -> Iterator[Finding]:
    """Tell all the packages in one finding, the worst few by name."""
    found = drifts(expected.versions, actual.versions)
    if not found:
        return
    named = ", ".join(str(drift) for drift in found[:MOST_NAMED])
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    yield Finding(
        CODE,
        Severity.ERROR,
        f"{len(found)} of {len(expected.versions)} packages are not as {expected.lockfile} pins them: "
        f"{named}{more}",
        measured=len(found),
        threshold=0,
        evidence={
            "lockfile": expected.lockfile,
            "python": actual.python,
            "packages": [drift.to_json() for drift in found],
        },
    )
