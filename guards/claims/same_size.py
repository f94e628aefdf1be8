"""CLM010: data that are called different have the same size."""

from collections.abc import Iterator
from itertools import combinations

from guards.claims.formatting import at, contradiction
from guards.guard import Explanation
from ledger.evidence.imported_claims import Consistency, OtherData, Statement, WrittenLog
from ledger.findings import Finding

CODE = "CLM010"
TITLE = "data that are called different have the same size"
READS = (Consistency, WrittenLog)
EXPLANATION = Explanation(
    means="The log says that two trainings used different data, but its statements give the same size for "
    "both: the number of examples, computed as samples per second x seconds / epochs if it is not stated, "
    "or the number of steps at equal batch sizes.",
    matters="If the data are the same, the two scores are comparable, and their difference has another "
    "cause than the data.",
    do="Compare the digests of the files. The ledger records them: ledger show RUN.",
)


def inspect(expected: Consistency, actual: WrittenLog) -> Iterator[Finding]:
    """One finding for each line that calls data different."""
    for claim in actual.other_data:
        sides = [claim.experiment, claim.other] if claim.other else [claim.experiment]
        stated = [one for one in actual.statements if one.experiment in sides]
        size = _same(_sizes(stated), claim, expected.size)
        steps = _same([(one, float(one.value)) for one in stated if one.kind == "steps"], claim, 0.0, stated)
        if size or steps:
            yield _finding(claim, size, steps)


Sized = tuple[Statement, float]


def _sizes(stated: list[Statement]) -> list[Sized]:
    """Sizes of training data, stated or computed; throughput and seconds must be of the same scope."""
    sizes = [(one, float(one.value)) for one in stated if one.key == "train_size"]
    epochs = {one.experiment: float(one.value) for one in stated if one.kind == "epochs"}
    for speed in (one for one in stated if one.key == "throughput"):
        times = [one for one in stated if one.kind == "seconds" and _where(one) == _where(speed)]
        if times and epochs.get(speed.experiment):
            sizes.append((speed, float(speed.value) * float(times[0].value) / epochs[speed.experiment]))
    return sizes


def _same(
    sized: list[Sized], claim: OtherData, tolerance: float, stated: list[Statement] | None = None
) -> tuple[Sized, Sized] | None:
    """The first two sizes that agree: of the two experiments, or of two scopes if only one is named."""
    for a, b in combinations(sized, 2):
        apart = a[0].experiment != b[0].experiment if claim.other else _where(a[0]) != _where(b[0])
        if (
            apart
            and abs(a[1] - b[1]) <= tolerance * max(a[1], b[1])
            and _equal_batches(a[0], b[0], stated or [])
        ):
            return a, b
    return None


def _equal_batches(a: Statement, b: Statement, stated: list[Statement]) -> bool:
    """Whether the two step counts are at equal batch sizes, as far as these are stated."""
    sizes = [
        {one.value for one in stated if one.key == "batch_size" and _where(one) == _where(side)}
        for side in (a, b)
    ]
    return not all(sizes) or bool(sizes[0] & sizes[1])


def _where(one: Statement) -> tuple[str, str]:
    return one.experiment, one.scope


def _finding(
    claim: OtherData, size: tuple[Sized, Sized] | None, steps: tuple[Sized, Sized] | None
) -> Finding:
    sizes = []
    for pair, unit in ((size, "training examples"), (steps, "steps")):
        if pair:
            (a, x), (b, y) = pair
            sizes.append(f"{x:,.0f} and {y:,.0f} {unit} ({at((a.line, b.line))})")
    first = size or steps
    lines = [claim.line, *(one.line for pair in (size, steps) if pair for one, _ in pair)]
    return contradiction(
        CODE,
        f"{claim.experiment}: the data are said to differ (line {claim.line}), but have "
        f"{' and '.join(sizes)}",
        experiments=[claim.experiment, *([claim.other] if claim.other else [])],
        lines=lines,
        measured=first[1][1] if first else None,
        threshold=first[0][1] if first else None,
    )
