"""Two environments side by side for people, from what `--json` says of them. Decides nothing."""

from collections.abc import Iterator, Mapping, Sequence

from ledger.display.wrapped_table import fold, folded
from ledger.findings import Json

SHOWN = 30
MOST_NAMED = 3
NO_PROOF = "Ranked by what usually matters. A difference is a suspect; it proves no cause."
ABOUT = {
    "range": "not in the range asked for",
    "added": "only in B",
    "removed": "only in A",
    "build": "another build",
    "origin": "editable, or from elsewhere",
    "altered": "other files, same version",
}
IMPORTED = {True: "imported", False: "not imported", None: "import unknown"}
CHOICE = {"overridden": "not what its spec sets", "chosen": "set by a spec", "": "nobody chose it"}

Row = Mapping[str, Json]


def sheet(found: Row, width: int, *, everything: bool) -> list[str]:
    """Both sides, the suspects with the hard ones first, what else went in, and what could not be seen.

    Lines of at most `width` characters.
    """
    listed = [one for one in found["suspects"] if everything or one["hard"]]
    left_out = len(found["suspects"]) - len(listed)
    return [
        *_heads(found, width),
        *_suspects(listed, left_out, width),
        *_rest(found, width),
        *_api(found["api"], width),
        *_bisection(found["bisection"], width),
    ]


def _heads(found: Row, width: int) -> Iterator[str]:
    yield from folded([[name.upper(), found[name]["name"]] for name in ("a", "b")], width)
    if found["imports_of"]:
        yield f"what is imported: by the worker of {found['imports_of']}"


def _suspects(listed: Sequence[Row], left_out: int, width: int) -> Iterator[str]:
    yield ""
    if listed:
        yield "suspects, the most suspicious first"
        cells = [_cells(number, row) for number, row in enumerate(listed[:SHOWN], 1)]
        yield from folded([["", "what", "A", "B", ""], *cells], width)
    if len(listed) > SHOWN:
        yield f"and {len(listed) - SHOWN} more: --json has them all"
    if left_out:
        noun = "difference hardly matters" if left_out == 1 else "differences hardly matter"
        yield f"{left_out} more {noun}: --all lists them"
    yield NO_PROOF if listed or left_out else "Nothing that both sides tell differs."


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
        yield from fold(f"beside the environment, these differ: {names} (--json has both values)", width)
    for skip in found["skips"]:
        yield from fold(f"{skip['code']} could not look: {skip['reason']}", width)


def _api(found: Sequence[Row] | None, width: int) -> Iterator[str]:
    if found is None:
        return
    yield ""
    if not found:
        yield "nothing that the worker's code uses changed its signature"
        return
    yield "used by the worker's code, and changed"
    cells = [[row["symbol"], row["what"], row["before"], row["after"]] for row in found]
    yield from folded([["symbol", "what", "A", "B"], *cells], width)


def _bisection(found: Row | None, width: int) -> Iterator[str]:
    if found is None:
        return
    yield from ("", f"bisection: {found['judged']}")
    rows = [["installed", "verdict", "errors", "put back"]]
    for row in (found["a"], found["b"], *found["trials"]):
        told = row["problem"] or ", ".join(row["findings"])
        shown, others = ", ".join(row["packages"][:MOST_NAMED]), len(row["packages"]) - MOST_NAMED
        more = f" and {others} more" if others > 0 else ""
        rows.append([row["installed"], row["verdict"] or "-", told, shown + more])
    yield from folded(rows, width)
    yield from fold(found["answer"], width)


def _plain(value: Json) -> str:
    text = "-" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
