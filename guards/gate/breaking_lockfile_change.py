"""GAT002: a changed lockfile breaks an experiment, or the reload of its checkpoints."""

from collections.abc import Iterator, Sequence

from guards.guard import Explanation
from ledger.evidence.gate import Behaviour, LockChange, LockChanges, PackageChange, Rehearsals, Rehearsed
from ledger.findings import Finding, Severity, Skip
from ledger.utils.plural import and_more

CODE = "GAT002"
TITLE = "a changed lockfile breaks an experiment"
READS = (LockChanges, Rehearsals)
EXPLANATION = Explanation(
    means="An experiment's lockfile changed, and its rehearsal passes with the old packages and fails with "
    "the new ones, or a checkpoint that the old ones saved does not reload correctly with the new ones. The "
    "finding names the packages, the effective settings that changed with them, and the problems of the "
    "reload. Without --rehearse it only names the packages and skips the behaviour. A change of packages "
    "that the experiment's worker never imported is a note.",
    matters="Defaults change without an error: a Marian model with separate embeddings and a tied head that "
    "was saved by transformers 4.57.6 writes nonsense under 5.0.0, which a list of versions does not show.",
    do="Keep the old lockfile under its own name and use it in the specs that need it. If the new behaviour "
    "is wanted, set the changed default in the spec and train again.",
)
MOST_NAMED = 3


def inspect(expected: LockChanges, actual: Rehearsals) -> Iterator[Finding | Skip]:
    """Yield the rehearsal result of each experiment with a changed lockfile, or why there is none."""
    for change in expected.changes:
        packages = _listed(change.imported_changes or change.packages)
        result = actual.rehearsed.get(change.experiment)
        if not change.imported_changes and not (result and _broken(result)):
            yield _harmless(change)
        elif result:
            yield from _compare(change, result, packages)
        else:
            why = actual.why_not.get(change.experiment, "rehearse it with --rehearse")
            yield Skip(CODE, f"{change.experiment}, {packages}: behaviour not checked: {why}", actual.asked)


def _harmless(change: LockChange) -> Finding:
    message = f"{change.experiment}: {_listed(change.packages)}, which its worker never imported"
    return Finding(CODE, Severity.INFO, message, evidence=_evidence(change))


def _compare(change: LockChange, result: Rehearsed, packages: str) -> Iterator[Finding | Skip]:
    defaults = f"; changed settings: {and_more(result.defaults, MOST_NAMED)}" if result.defaults else ""
    head = f"{change.experiment}, {packages}{defaults}"
    sides = [side for side in (result.old, result.new, result.reload) if side is not None]
    unfinished = [f"{side.lockfile}: {side.unfinished}" for side in sides if side.unfinished]
    broken = _broken(result)
    if broken:
        failing = [p for side in (result.new, result.reload) if side and _fails(side) for p in side.problems]
        evidence = {**_evidence(change), "settings": list(result.defaults), "problems": failing}
        yield Finding(CODE, Severity.ERROR, f"{head}; {'; '.join(broken)}", len(broken), 0, evidence)
    elif unfinished:
        yield Skip(CODE, f"{head}; rehearsal not finished: {'; '.join(unfinished)}", required=True)
    elif not result.old.passed and not result.new.passed:
        message = f"{head}; its rehearsal does not pass under either lockfile: {_first(result.old)}"
        yield Finding(CODE, Severity.WARNING, message, evidence=_evidence(change))
    elif not result.old.passed:
        message = (
            f"{head}; its rehearsal fails under {result.old.lockfile} and passes under {result.new.lockfile}"
        )
        yield Finding(CODE, Severity.INFO, message, evidence=_evidence(change))
    else:
        reads = ", and the new packages reload the old checkpoint" if result.reload else ""
        message = f"{head}; rehearsed under both: it passes{reads}"
        yield Finding(CODE, Severity.INFO, message, evidence=_evidence(change))


def _broken(result: Rehearsed) -> list[str]:
    """The problems that occur with the new packages and not with the old ones."""
    broken = []
    if _fails(result.new) and not _fails(result.old):
        broken.append(f"its rehearsal fails under {result.new.lockfile}: {_first(result.new)}")
    if result.reload is not None and _fails(result.reload) and not _fails(result.old):
        broken.append(
            f"saved under {result.old.lockfile}, loaded under {result.new.lockfile}: {_first(result.reload)}"
        )
    return broken


def _fails(side: Behaviour) -> bool:
    return not side.passed and not side.unfinished


def _first(side: Behaviour) -> str:
    """The first problem in full, and the codes of the others."""
    codes = dict.fromkeys(problem.partition(" ")[0] for problem in side.problems[1:])
    return "; also ".join([*side.problems[:1], *([", ".join(codes)] if codes else [])])


def _listed(changes: Sequence[PackageChange]) -> str:
    return and_more([str(change) for change in changes], MOST_NAMED) or "no package"


def _evidence(change: LockChange) -> dict[str, object]:
    return {
        "experiment": change.experiment,
        "before": change.before,
        "after": change.after,
        "packages": [{"name": one.name, "before": one.before, "after": one.after} for one in change.packages],
        "imported": [one.name for one in change.imported_changes] if change.imported is not None else None,
    }
