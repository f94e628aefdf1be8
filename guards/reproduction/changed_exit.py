"""REP003: the repeated command has a different exit code."""

from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.reproduction import ExitTrace
from ledger.findings import Finding, Severity, Skip

CODE = "REP003"
TITLE = "the command ends with another exit code"
READS = (ExitTrace, ExitTrace)
EXPLANATION = Explanation(
    means="The recorded command was repeated in a work tree of the same commit, and its exit code is "
    "different.",
    matters="Its success depends on something that is not in the commit: a file that git ignores, a "
    "package, an environment variable, the network.",
    do="Read its output; compare the environments with: ledger diff-env RUN current.",
)


def inspect(expected: ExitTrace, actual: ExitTrace) -> Iterator[Finding | Skip]:
    """Compare the exit codes."""
    if expected.exit_code != actual.exit_code:
        yield Finding(
            CODE,
            Severity.ERROR,
            f"exit code {actual.exit_code}, but {expected.exit_code} in {expected.run}",
            measured=actual.exit_code,
            threshold=expected.exit_code,
        )
