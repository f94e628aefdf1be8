"""`ledger explain`: the explanation of a guard's code."""

from difflib import get_close_matches

from guards.guard import Guard
from guards.registry import by_code, find
from ledger.errors import UsageError
from ledger.findings import Json


def find_guard(code: str) -> Guard:
    """The guard of a code, in upper or lower case. Raises UsageError with the nearest codes."""
    wanted = code.strip().upper()
    guard = find(wanted)
    if guard is None:
        known = by_code()
        near = get_close_matches(wanted, known, n=3, cutoff=0.5)
        padded = f"{wanted[:3]}{wanted[3:].zfill(3)}"  # TXT1 for TXT001
        near = [padded] if padded in known else near
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise UsageError(f"no guard has the code {code!r}", hint=f"{hint}list all codes with: ledger explain")
    return guard


def in_full(guard: Guard) -> dict[str, Json]:
    """Everything about one guard, for `--json`."""
    explanation = guard.EXPLANATION
    return {
        "code": guard.CODE,
        "title": guard.TITLE,
        "reads": guard.READS[1].NAME,
        "means": explanation.means,
        "matters": explanation.matters,
        "do": explanation.do,
    }


def titles() -> list[tuple[str, str]]:
    """Every code with its title, in the registry's order."""
    return [(guard.CODE, guard.TITLE) for guard in by_code().values()]
