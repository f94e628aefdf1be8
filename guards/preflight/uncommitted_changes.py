"""PRE004: the working tree has changes that no commit holds."""

from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.preflight import GitExpectation, GitState
from ledger.findings import Finding, Severity

CODE = "PRE004"
TITLE = "there are uncommitted changes"
READS = (GitExpectation, GitState)
EXPLANATION = Explanation(
    means="git sees changed or new files, the journal aside. The run will record their names beside the "
    "commit.",
    matters="The commit that the record names is then not what ran, and the run cannot be repeated from it.",
    do="Commit first, or let git ignore what does not belong to the experiment. A spec with `clean: true` "
    "refuses to run like this; one without only warns.",
)
MOST_NAMED = 3


def inspect(expected: GitExpectation, actual: GitState) -> Iterator[Finding]:
    """Name a few of the changed paths; an error only where the spec asks for a clean tree."""
    if actual.commit is not None and not actual.changed:
        return
    what = _what(actual)
    yield Finding(
        CODE,
        Severity.ERROR if expected.clean else Severity.WARNING,
        f"{what}; the spec says clean: true" if expected.clean else what,
        measured=len(actual.changed),
        threshold=0,
        evidence={"commit": actual.commit, "branch": actual.branch, "changed": list(actual.changed)},
    )


def _what(state: GitState) -> str:
    if state.commit is None:
        return "nothing is committed yet, so the record can name no commit"
    named = ", ".join(state.changed[:MOST_NAMED])
    more = len(state.changed) - MOST_NAMED
    count = "1 file is" if len(state.changed) == 1 else f"{len(state.changed)} files are"
    return f"{count} not as in commit {state.commit[:10]}: {named}{f' and {more} more' if more > 0 else ''}"
