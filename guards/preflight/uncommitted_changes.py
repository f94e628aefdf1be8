"""PRE004: the work tree has uncommitted changes."""

from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.preflight import GitExpectation, GitState
from ledger.findings import Finding, Severity
from ledger.utils.plural import and_more, count

CODE = "PRE004"
TITLE = "there are uncommitted changes, or no commit can be recorded"
READS = (GitExpectation, GitState)
EXPLANATION = Explanation(
    means="git reports changed or new files other than the journal; the run will record their names next to "
    "the commit. Or no commit can be recorded: git cannot read the repository, or nothing was committed.",
    matters="The recorded commit does not contain the code that ran, so the run cannot be repeated from it.",
    do="Commit first, or add files that do not belong to the experiment to .gitignore. Where git cannot read "
    "the repository, `git status` says what to do: in a container, where its owner is another user, "
    "git config --global --add safe.directory PATH. With `clean: true` in the spec this is an error, "
    "otherwise a warning.",
)
MOST_NAMED = 3


def inspect(expected: GitExpectation, actual: GitState) -> Iterator[Finding]:
    """Name a few of the changed paths; an error only where the spec asks for a clean tree."""
    if actual.commit is not None and not actual.changed:
        return
    problem = _problem(actual)
    yield Finding(
        CODE,
        Severity.ERROR if expected.clean else Severity.WARNING,
        f"{problem}; the spec requires clean: true" if expected.clean else problem,
        measured=len(actual.changed),
        threshold=0,
        evidence={"commit": actual.commit, "branch": actual.branch, "changed": list(actual.changed)},
    )


def _problem(state: GitState) -> str:
    if state.unread:
        return f"no commit can be recorded: {state.unread}"
    if state.commit is None:
        return "there is no commit yet that the run could record"
    files = count(len(state.changed), "file differs", "files differ")
    return f"{files} from commit {state.commit[:10]}: {and_more(state.changed, MOST_NAMED)}"
