"""An in-toto statement with the test-result predicate: the guards' results for the run's product.

The format is in-toto/attestation's `spec/v1/statement.md` and `spec/predicates/test-result.md`. The statement
is not signed; sign it with the tool that holds your key.
"""

import json

from ledger.exporters.record import Record, need_product
from ledger.findings import Json, Severity, Verdict

PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"


def export(record: Record) -> str:
    """The statement as JSON, with the run's mode on the subject. Raises LedgerError without a digest."""
    from google.protobuf.json_format import MessageToDict, ParseDict
    from in_toto_attestation.predicates.test_result.v0.test_result_pb2 import TestResult
    from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
    from in_toto_attestation.v1.statement import Statement

    product = need_product(record, "so there is nothing to attest")
    notes = {"run": record.run.id, "mode": record.run.mode}
    subject = ResourceDescriptor(product.name, digest={"sha256": product.sha256}, annotations=notes)
    predicate = ParseDict(_predicate(record), TestResult())  # raises if the format is violated
    statement = Statement([subject.pb], PREDICATE, MessageToDict(predicate))
    statement.validate()
    return json.dumps(MessageToDict(statement.pb), indent=2, ensure_ascii=False)


def _predicate(record: Record) -> dict[str, Json]:
    failed = record.codes(Severity.ERROR)
    warned = [code for code in record.codes(Severity.WARNING) if code not in failed]
    accepted = sorted({f.code for f in record.findings if f.accepted and f.severity >= Severity.WARNING})
    return {
        "result": _result(record, warned),
        "configuration": _configuration(record),
        "passedTests": sorted({*record.run.preflight.passed, *record.run.report.passed}),
        "warnedTests": sorted({*warned, *accepted}),
        "failedTests": failed,
    }


def _result(record: Record, warned: list[str]) -> str:
    if record.run.verdict is Verdict.PASS:
        return "WARNED" if warned else "PASSED"
    return "FAILED"  # the format has no value for an inconclusive run


def _configuration(record: Record) -> list[dict[str, Json]]:
    """The digests that the result depends on: spec, environment, data, commit."""
    digests = {
        "spec": record.run.spec_digest,
        "environment": record.run.environment,
        **{f"data/{role}": f"sha256:{file.sha256}" for role, file in record.run.data.items() if file.sha256},
    }
    described = [
        {"name": name, "digest": {"sha256": digest.removeprefix("sha256:")}}
        for name, digest in digests.items()
        if digest
    ]
    if commit := record.git.get("commit"):
        described.append({"name": "git", "digest": {"gitCommit": commit}})
    return described
