"""REP003: the repeated command ended otherwise."""

from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.reproduction import ExitTrace
from ledger.findings import Finding, Severity, Skip

CODE = "REP003"
TITLE = "the command ends otherwise"
READS = (ExitTrace, ExitTrace)
EXPLANATION = Explanation(
    means="The recorded command was repeated in a work tree of the same commit; its exit code is another.",
    matters="Something that the commit does not hold decides whether it works: a file that git ignores, a "
    "package, a variable, the network.",
    do="Read what it printed; compare the environments with: ledger diff-env RUN current.",
)


def inspect(expected: ExitTrace, actual: ExitTrace) -> Iterator[Finding | Skip]:
    """Compare the exit codes."""
    if expected.exit_code != actual.exit_code:
        yield Finding(
            CODE,
            Severity.ERROR,
            f"exit code {actual.exit_code}, {expected.exit_code} in {expected.run}",
            measured=actual.exit_code,
            threshold=expected.exit_code,
        )
