"""Two environments side by side for people, from what `--json` says of them. Decides nothing."""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ledger.findings import Json
from ledger.render import visible

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


def sheet(found: Row, *, everything: bool) -> list[RenderableType]:
    """Both sides, the suspects with the hard ones first, what else went in, and what could not be seen."""
    listed = [one for one in found["suspects"] if everything or one["hard"]]
    left_out = len(found["suspects"]) - len(listed)
    return [
        *_heads(found),
        *_suspects(listed, left_out),
        *_rest(found),
        *_api(found["api"]),
        *_bisection(found["bisection"]),
    ]


def _heads(found: Row) -> Iterator[RenderableType]:
    table = Table.grid(padding=(0, 2))
    for name in ("a", "b"):
        table.add_row(Text(name.upper(), "bold"), Text(visible(found[name]["name"])))
    yield table
    if found["imports_of"]:
        yield Text(f"what is imported: by the worker of {found['imports_of']}", "dim")


def _suspects(listed: Sequence[Row], left_out: int) -> Iterator[RenderableType]:
    yield Text("")
    if listed:
        yield _table(listed[:SHOWN])
    if len(listed) > SHOWN:
        yield Text(f"and {len(listed) - SHOWN} more: --json has them all")
    if left_out:
        yield Text(f"{left_out} more differences hardly matter: --all lists them", "dim")
    yield Text(NO_PROOF if listed or left_out else "Nothing that both sides tell differs.")


def _table(rows: Sequence[Row]) -> Table:
    table = Table(title="suspects, the most suspicious first", title_justify="left", box=None, pad_edge=False)
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("what", overflow="fold", ratio=4)
    for heading in ("A", "B"):
        table.add_column(heading, overflow="fold", ratio=2)
    table.add_column("", overflow="fold", ratio=3)
    for number, row in enumerate(rows, 1):
        style = "" if row["hard"] else "dim"
        cells = (_plain(row["before"]), _plain(row["after"]), _about(row))
        table.add_row(str(number), Text(row["name"]), *(Text(cell) for cell in cells), style=style)
    return table


def _about(row: Row) -> str:
    if row["kind"] == "package":
        return f"{ABOUT.get(row['change'], row['change'])}, {IMPORTED[row['imported']]}"
    if row["kind"] == "setting":
        return CHOICE[row["chosen"]]
    return str(row["kind"]) if row["change"] == "other" else str(row["change"])


def _rest(found: Row) -> Iterator[RenderableType]:
    if found["inputs"]:
        names = ", ".join(one["field"] for one in found["inputs"])
        yield Text(f"\nbeside the environment, these differ: {names} (--json has both values)")
    for skip in found["skips"]:
        yield Text(f"{skip['code']} could not look: {visible(skip['reason'])}", "dim")


def _api(found: Sequence[Row] | None) -> Iterator[RenderableType]:
    if found is None:
        return
    table = Table(title="\nused, and changed", title_justify="left", box=None, pad_edge=False)
    for heading in ("symbol", "what", "A", "B"):
        table.add_column(heading, overflow="fold")
    for row in found:
        table.add_row(*(Text(visible(row[key])) for key in ("symbol", "what", "before", "after")))
    yield table if found else Text("\nnothing that the worker's code uses changed its signature")


def _bisection(found: Row | None) -> Iterator[RenderableType]:
    if found is None:
        return
    table = Table(title=f"\nbisection: {found['judged']}", title_justify="left", box=None, pad_edge=False)
    for heading in ("installed", "verdict", "errors", "put back"):
        table.add_column(heading, overflow="fold")
    for row in (found["a"], found["b"], *found["trials"]):
        told = row["problem"] or ", ".join(row["findings"])
        shown, others = ", ".join(row["packages"][:MOST_NAMED]), len(row["packages"]) - MOST_NAMED
        more = f" and {others} more" if others > 0 else ""
        table.add_row(row["installed"], row["verdict"] or "-", visible(told), shown + more)
    yield table
    yield Text(found["answer"])


def _plain(value: Json) -> str:
    text = "-" if value is None else visible(str(value))
    return text if len(text) <= 60 else f"{text[:57]}..."
