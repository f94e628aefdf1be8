"""Numbers in Markdown that are marked as claims about a run equal those of the journal (GAT005)."""

from collections.abc import Sequence

from guards.gate import wrong_document_number
from guards.guard import inspect
from ledger.commands.gate.context import Checked, GateContext, unreadable
from ledger.errors import UsageError
from ledger.evidence import Evidence, Unobserved
from ledger.evidence.document_claims import find_claims
from ledger.evidence.gate import DocumentClaim, DocumentClaims, Numbers
from ledger.evidence.metrics import Metric
from ledger.findings import Finding, Report, Severity
from ledger.journal.run import Run
from ledger.journal.runs import find
from ledger.utils.plural import count
from ledger.utils.regular_file import read_regular

NAME = "claims"


def check(context: GateContext) -> Checked:
    """Compare every claim in the work tree's Markdown with the journal."""
    documents = context.history.files("*.md")
    claims: list[DocumentClaim] = []
    unread: list[Finding] = []
    for path in documents:
        shown = path.encode("utf-8", "backslashreplace").decode()  # a file name may not be valid text
        try:
            claims += find_claims(shown, read_regular(context.workspace.root / path).decode("utf-8"))
        except UnicodeDecodeError:
            says = f"{shown} is not UTF-8, so its claims were not read"
            unread.append(Finding(wrong_document_number.CODE, Severity.WARNING, says))
    numbers: Numbers | Unobserved = Numbers()
    if claims:
        numbers = unreadable(context) or numbers_of_claims(claims, context.runs)
    expected, actual = (
        Evidence().including(Numbers, numbers),
        Evidence(DocumentClaims(tuple(claims))),
    )
    report = inspect([wrong_document_number], expected, actual) + Report(tuple(unread))
    return Checked(
        NAME, f"{count(len(claims), 'marked number')} in {count(len(documents), 'Markdown file')}", report
    )


def numbers_of_claims(claims: Sequence[DocumentClaim], runs: Sequence[Run]) -> Numbers:
    """The journal's value for each pair of run and metric that is claimed."""
    values: dict[tuple[str, str], float] = {}
    named: dict[str, str] = {}
    missing: dict[tuple[str, str], str] = {}
    shares: set[tuple[str, str]] = set()
    for claim in claims:
        if claim.problem:
            continue
        key = (claim.run, claim.metric)
        try:
            run = find(runs, claim.run)
        except UsageError as error:
            missing[key] = f"claims a number of {claim.run}: {error.message} among the finished real ones"
            continue
        named[claim.run] = run.id
        known = _numbers_of(run)
        if claim.metric in known:
            values[key], is_share = known[claim.metric]
            shares |= {key} if is_share else set()
        else:
            has = ", ".join(sorted(known)) or "no number"
            missing[key] = f"claims {claim.metric} of {run.id}, which has {has}"
    return Numbers(values, named, missing, frozenset(shares))


def _numbers_of(run: Run) -> dict[str, tuple[float, bool]]:
    """Metrics by name (BLEU 0-100), rates by guard code (0-1), a few counts; and whether each is a share."""
    counts = {"seconds": run.seconds, "lines": run.output.lines if run.output else None}
    counts["failed_lines"] = run.result.get("failed_lines")
    return {
        **{name: (one.value, _is_share(one)) for name, one in run.metrics.items()},
        **{code: (rate, True) for code, rate in run.rates.items()},
        **{name: (float(count), False) for name, count in counts.items() if count is not None},
    }


def _is_share(metric: Metric) -> bool:
    """Whether 1 means 100%, as for a rate, or a ratio, whose scale has no upper end."""
    top: float | None = metric.scale[1]
    return top is None or top <= 1
