"""GAT002: under a changed lockfile an experiment still does what it did, and reads what it saved."""

from collections.abc import Iterator, Sequence

from guards.guard import Explanation
from ledger.evidence.gate import Behaviour, LockChange, LockChanges, PackageChange, Rehearsals, Rehearsed
from ledger.findings import Finding, Severity, Skip

CODE = "GAT002"
TITLE = "a changed lockfile breaks an experiment"
READS = (LockChanges, Rehearsals)
EXPLANATION = Explanation(
    means="An experiment's lockfile changed, and with the new packages its rehearsal fails where it passed "
    "with the old ones, or a checkpoint that the old ones saved does not come back under the new ones. The "
    "finding names the packages, the effective settings that changed with them, and what the reload missed. "
    "Without --rehearse only the packages are told, and the behaviour is skipped; a change of packages that "
    "the experiment's worker never imported is a note.",
    matters="Defaults change without an error: a Marian model with separate embeddings and a tied head that "
    "transformers 4.57.6 saved says nonsense under 5.0.0, which a list of versions does not show.",
    do="Keep the old lockfile for what needs it, under a name of its own, and point the specs at it. If the "
    "new behaviour is wanted, set the default that changed in the spec and train again.",
)
MOST_NAMED = 3


def inspect(expected: LockChanges, actual: Rehearsals) -> Iterator[Finding | Skip]:
    """Yield, for each experiment with a changed lockfile, what its rehearsals showed, or why none did."""
    for change in expected.changes:
        packages = _listed(change.imported_changes or change.packages)
        seen = actual.rehearsed.get(change.experiment)
        if not change.imported_changes and not (seen and _broken(seen)):
            yield _harmless(change)
        elif seen:
            yield from _compare(change, seen, packages)
        else:
            why = actual.why_not.get(change.experiment, "rehearse it with --rehearse")
            yield Skip(CODE, f"{change.experiment}, {packages}: behaviour not looked at: {why}", actual.asked)


def _harmless(change: LockChange) -> Finding:
    says = f"{change.experiment}: {_listed(change.packages)}, which its worker never imported"
    return Finding(CODE, Severity.INFO, says, evidence=_evidence(change))


def _compare(change: LockChange, seen: Rehearsed, packages: str) -> Iterator[Finding | Skip]:
    defaults = f"; changed settings: {_joined(seen.defaults)}" if seen.defaults else ""
    head = f"{change.experiment}, {packages}{defaults}"
    sides = [side for side in (seen.old, seen.new, seen.reload) if side is not None]
    unfinished = [f"{side.lockfile}: {side.unfinished}" for side in sides if side.unfinished]
    broken = _broken(seen)
    if broken:
        failing = [p for side in (seen.new, seen.reload) if side and _fails(side) for p in side.problems]
        evidence = {**_evidence(change), "settings": list(seen.defaults), "problems": failing}
        yield Finding(CODE, Severity.ERROR, f"{head}; {'; '.join(broken)}", len(broken), 0, evidence)
    elif unfinished:
        yield Skip(CODE, f"{head}; could not be finished: {'; '.join(unfinished)}", required=True)
    elif not seen.old.passed and not seen.new.passed:
        says = f"{head}; its rehearsal does not pass under either lockfile: {_first(seen.old)}"
        yield Finding(CODE, Severity.WARNING, says, evidence=_evidence(change))
    elif not seen.old.passed:
        says = f"{head}; its rehearsal fails under {seen.old.lockfile} and passes under {seen.new.lockfile}"
        yield Finding(CODE, Severity.INFO, says, evidence=_evidence(change))
    else:
        reads = ", and the new packages read the old one's save" if seen.reload else ""
        says = f"{head}; rehearsed under both: it passes{reads}"
        yield Finding(CODE, Severity.INFO, says, evidence=_evidence(change))


def _broken(seen: Rehearsed) -> list[str]:
    """What works with the old packages and does not with the new ones."""
    broken = []
    if _fails(seen.new) and not _fails(seen.old):
        broken.append(f"its rehearsal fails under {seen.new.lockfile}: {_first(seen.new)}")
    if seen.reload is not None and _fails(seen.reload) and not _fails(seen.old):
        broken.append(
            f"saved under {seen.old.lockfile} and loaded under {seen.new.lockfile}: {_first(seen.reload)}"
        )
    return broken


def _fails(side: Behaviour) -> bool:
    return not side.passed and not side.unfinished


def _first(side: Behaviour) -> str:
    """The first problem in full, of the others the codes."""
    codes = dict.fromkeys(problem.partition(" ")[0] for problem in side.problems[1:])
    return "; also ".join([*side.problems[:1], *([", ".join(codes)] if codes else [])])


def _listed(changes: Sequence[PackageChange]) -> str:
    return _joined([str(change) for change in changes]) or "no package"


def _joined(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - MOST_NAMED} more" if len(texts) > MOST_NAMED else ""
    return ", ".join(texts[:MOST_NAMED]) + more


def _evidence(change: LockChange) -> dict[str, object]:
    return {
        "experiment": change.experiment,
        "before": change.before,
        "after": change.after,
        "packages": [{"name": one.name, "before": one.before, "after": one.after} for one in change.packages],
        "imported": [one.name for one in change.imported_changes] if change.imported is not None else None,
    }
