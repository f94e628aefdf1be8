"""The gate's answer as JUnit XML, which CI servers show beside the tests."""

from pathlib import Path

from ledger.errors import LedgerError
from ledger.findings import Finding, Severity
from ledger.flows.gate.gate import Gate
from ledger.flows.gate.scene import Checked

SUITE = "ledger gate"


def write_junit(gate: Gate, path: Path) -> None:
    """Write one test case for each check. Raises LedgerError where the file cannot be written."""
    from junitparser import JUnitXml, TestSuite

    suite = TestSuite(SUITE)
    suite.add_property("base", gate.base.name)
    for check in gate.checks:
        suite.add_testcase(_case(check))
    document = JUnitXml(SUITE)
    document.add_testsuite(suite)
    try:
        document.write(str(path))
    except FileNotFoundError as error:
        raise LedgerError(
            f"{path} cannot be written: there is no such folder", hint="make it first"
        ) from error


def _case(check: Checked):  # type: ignore[no-untyped-def]
    from junitparser import Failure, Skipped, TestCase

    case = TestCase(check.name, classname=SUITE.replace(" ", "."))
    errors = [f for f in check.report.findings if f.severity >= Severity.ERROR and f.accepted is None]
    if check.status == "fail":
        case.result = [_failure(Failure, finding) for finding in errors]
    elif check.status == "skip":
        case.result = [Skipped("; ".join(f"{skip.code} {skip.reason}" for skip in check.report.skips))]
    notes = [f"{f.code} {f.message}" for f in check.report.findings if f not in errors]
    case.system_out = "\n".join([check.about, *notes])
    return case


def _failure(kind, finding: Finding):  # type: ignore[no-untyped-def]
    failure = kind(f"{finding.code} {finding.message}", finding.code)
    failure.text = f"what it means and what to do: ledger explain {finding.code}"
    return failure
