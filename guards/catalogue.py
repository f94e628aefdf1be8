"""The documentation of the guards, generated from their EXPLANATIONs: an index, and a page for each code.

python -m guards.catalogue    regenerates docs/guards.md and docs/guards/CODE.md
"""

from collections.abc import Iterator
from pathlib import Path

from guards.guard import Guard
from guards.registry import families

HEAD = """\
# Guards

A guard checks one thing and reports findings under a code that never changes. `ledger explain CODE` prints
the text of the code's page here; `python -m guards.catalogue` generates these pages.

An **error** fails the command (exit code 1), a **warning** and a **note** do not. A guard that cannot be
applied is **skipped** with the reason, which does not count as a pass.
"""


def pages() -> dict[str, str]:
    """Every page as Markdown, by its path under docs/."""
    index = "\n".join([HEAD, *_contents(), ""])
    each = {f"guards/{guard.CODE}.md": _page(guard, family) for family, guard in _all()}
    return {"guards.md": index, **each}


def write(folder: Path) -> None:
    """Write the pages under `folder`, and remove those of guards that no longer exist."""
    (folder / "guards").mkdir(parents=True, exist_ok=True)
    for obsolete in {*folder.glob("guards/*.md")} - {folder / path for path in pages()}:
        obsolete.unlink()
    for path, text in pages().items():
        (folder / path).write_text(text, encoding="utf-8")


def _all() -> Iterator[tuple[str, Guard]]:
    return ((family, guard) for family, guards in families().items() for guard in guards)


def _contents() -> Iterator[str]:
    yield "| family | code | finding |"
    yield "|---|---|---|"
    for family, guard in _all():
        yield f"| {family} | [{guard.CODE}](guards/{guard.CODE}.md) | {guard.TITLE} |"


def _page(guard: Guard, family: str) -> str:
    explanation = guard.EXPLANATION
    return f"""\
# {guard.CODE}

**{guard.TITLE[0].upper()}{guard.TITLE[1:]}.** {explanation.means}

*Why it matters:* {explanation.matters}

*What to do:* {explanation.do}

*Family:* {family} · [all guards](../guards.md)
"""


if __name__ == "__main__":
    write(Path("docs"))
