"""The gate's result as JUnit XML, which CI servers show with the tests."""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.commands.gate.context import Checked
from ledger.commands.gate.gate import Gate
from ledger.findings import Severity
from ledger.outputs import write_output
from ledger.utils.escape import visible

if TYPE_CHECKING:
    from junitparser import TestCase

SUITE = "ledger gate"


def write_junit(gate: Gate, path: Path) -> None:
    """Write one test case for each check. Raises LedgerError if the file cannot be written."""
    from junitparser import JUnitXml, TestSuite

    suite = TestSuite(SUITE)
    suite.add_property("base", gate.base.name)
    for check in gate.checks:
        suite.add_testcase(_case(check))
    document = JUnitXml(SUITE)
    document.add_testsuite(suite)
    document.write(written := BytesIO())
    write_output(path, written.getvalue())


def _case(check: Checked) -> "TestCase":
    """A failure for each error, or the reasons of a skip; other findings go to its output."""
    from junitparser import Failure, Skipped, TestCase

    case = TestCase(check.name, classname="ledger.gate")
    findings = check.report.findings
    errors = [one for one in findings if one.severity >= Severity.ERROR and one.accepted is None]
    if errors:
        case.result = [Failure(visible(f"{one.code} {one.message}"), one.code) for one in errors]
    elif check.report.skips:
        reasons = "; ".join(f"{skip.code} {skip.reason}" for skip in check.report.skips)
        case.result = [Skipped(visible(reasons))]
    notes = [f"{one.code} {one.message}" for one in findings if one not in errors]
    case.system_out = "\n".join(map(visible, [check.about, *notes]))
    return case
