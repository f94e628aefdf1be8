"""The differences between two environments as lines for a terminal, made from the `--json` document."""

from collections.abc import Iterator, Mapping, Sequence

from ledger.display.table import Table, fold
from ledger.findings import Json
from ledger.utils.plural import and_more, count
from ledger.utils.text import shorten

SHOWN = 30
MOST_NAMED = 3
NO_PROOF = "Ranked by what usually matters. A difference is a suspect, not a proven cause."
NOT_WHOLLY_READ = "Nothing that was read differs, but not everything was read."
ABOUT = {
    "range": "outside the required range",
    "added": "only in B",
    "removed": "only in A",
    "build": "another build",
    "origin": "editable or from another source",
    "altered": "same version, different files",
}
IMPORTED = {True: "imported", False: "not imported", None: "import unknown"}
CHOICE = {"overridden": "overrides its spec", "chosen": "set by a spec", "": "not set by anyone"}

Row = Mapping[str, Json]


def difference_lines(found: Row, width: int, *, everything: bool) -> list[str]:
    """Both sides, the suspects (hard ones first), other inputs that differ, and what could not be checked.

    Lines of at most `width` cells. Without `everything`, suspects that hardly matter are only counted.
    """
    listed = [one for one in found["suspects"] if everything or one["hard"]]
    left_out = len(found["suspects"]) - len(listed)
    return [
        *_heads(found, width),
        *_suspects(listed, left_out, width, unread=any(one.get("required") for one in found["skips"])),
        *_rest(found, width),
        *_api(found["api"], width),
        *_bisection(found["bisection"], width),
    ]


def _heads(found: Row, width: int) -> Iterator[str]:
    yield from Table(("", ""), [[name.upper(), found[name]["name"]] for name in ("a", "b")]).lines(width)
    if found["imports_of"]:
        yield f"imported means: by the worker of {found['imports_of']}"


def _suspects(listed: Sequence[Row], left_out: int, width: int, *, unread: bool) -> Iterator[str]:
    yield ""
    if listed:
        yield "suspects, most suspicious first"
        cells = [_cells(number, row) for number, row in enumerate(listed[:SHOWN], 1)]
        yield from Table(("", "what", "A", "B", ""), cells).lines(width)
    if len(listed) > SHOWN:
        yield f"and {len(listed) - SHOWN} more: --json has them all"
    if left_out:
        more = count(left_out, "more difference hardly matters", "more differences hardly matter")
        yield f"{more}: --all lists them"
    nothing = "Nothing that both sides record differs."
    yield NO_PROOF if listed or left_out else NOT_WHOLLY_READ if unread else nothing


def _cells(number: int, row: Row) -> list[str]:
    return [f"{number:2}", row["name"], _plain(row["before"]), _plain(row["after"]), _about(row)]


def _about(row: Row) -> str:
    if row["kind"] == "package":
        return f"{ABOUT.get(row['change'], row['change'])}, {IMPORTED[row['imported']]}"
    if row["kind"] == "setting":
        return CHOICE[row["chosen"]]
    return str(row["kind"]) if row["change"] == "other" else str(row["change"])


def _rest(found: Row, width: int) -> Iterator[str]:
    if found["inputs"]:
        names = ", ".join(one["field"] for one in found["inputs"])
        yield ""
        yield from fold(f"besides the environment, these differ: {names} (--json has both values)", width)
    for skip in found["skips"]:
        yield from fold(f"{skip['code']} skipped: {skip['reason']}", width)


def _api(found: Sequence[Row] | None, width: int) -> Iterator[str]:
    if found is None:
        return
    yield ""
    if not found:
        yield "no signature that the worker's code uses has changed"
        return
    yield "changed, and used by the worker's code"
    cells = [[row["symbol"], row["what"], row["before"], row["after"]] for row in found]
    yield from Table(("symbol", "what", "A", "B"), cells).lines(width)


def _bisection(found: Row | None, width: int) -> Iterator[str]:
    if found is None:
        return
    yield from ("", f"bisection: {found['judged']}")
    rows = []
    for row in (found["a"], found["b"], *found["trials"]):
        errors = row["problem"] or ", ".join(row["findings"])
        rows.append([row["installed"], row["verdict"] or "-", errors, and_more(row["packages"], MOST_NAMED)])
    yield from Table(("installed", "verdict", "errors", "changed"), rows).lines(width)
    yield from fold(found["answer"], width)


def _plain(value: Json) -> str:
    return "-" if value is None else shorten(str(value), 60)
