"""CLM002: outputs are said to be identical, but their rates differ."""

from collections.abc import Iterator

from guards.claims.formatting import at, contradiction, shown
from guards.claims.values import same
from guards.guard import Explanation
from ledger.evidence.imported_claims import Consistency, SameOutput, Statement, WrittenLog
from ledger.findings import Finding

CODE = "CLM002"
TITLE = "outputs said to be identical have different rates"
READS = (Consistency, WrittenLog)
EXPLANATION = Explanation(
    means="The log says that two experiments wrote the same output, by a hash or in words, but states "
    "different rates for the two.",
    matters="Equal files have equal rates. Either the rates were measured in two ways, so that no two rates "
    "in the log can be compared, or the outputs were not identical.",
    do="Measure both outputs again in the same way: ledger check OUTPUT --source FILE --lang ja. Compare "
    "the files with sha256sum.",
)


def inspect(_expected: Consistency, actual: WrittenLog) -> Iterator[Finding]:
    """One finding for each pair, with every rate that differs."""
    compared: set[frozenset[str]] = set()
    for pair in actual.identities:
        names = frozenset((pair.experiment, pair.other))
        if names in compared:
            continue
        compared.add(names)
        mine, others = (_rates(actual, name) for name in (pair.experiment, pair.other))
        differing = [
            (others[key], mine[key]) for key in mine if key in others and not same(mine[key], others[key])
        ]
        if differing:
            yield _finding(pair, differing)


def _rates(log: WrittenLog, experiment: str) -> dict[str, Statement]:
    """The rates stated first in the experiment's own section, or else in a table elsewhere."""
    rates = [one for one in log.statements if one.experiment == experiment and one.kind == "rate"]
    own = {one.key: one for one in reversed(rates) if not one.column}
    return {**{one.key: one for one in rates if one.column}, **own}


def _finding(pair: SameOutput, differing: list[tuple[Statement, Statement]]) -> Finding:
    rates = ", ".join(
        f"{a.key} {shown(a.value, rate=True)} against {shown(b.value, rate=True)}" for a, b in differing
    )
    lines = [pair.line, *(one.line for both in differing for one in both)]
    return contradiction(
        CODE,
        f"{pair.experiment}'s output is said to be identical to {pair.other}'s (line {pair.line}), but "
        f"{rates} ({at(lines[1:])}): the measure changed, or the outputs differ",
        experiments=[pair.experiment, pair.other],
        lines=lines,
        measured={a.key: [a.value, b.value] for a, b in differing},
    )
