"""The guards' page of the documentation, from their own EXPLANATIONs.

python -m guards.catalogue > docs/guards.md
"""

from collections.abc import Iterator

from guards.guard import Guard
from guards.registry import ALL, FAMILIES

HEAD = """\
# Guards

A guard looks at one thing and says what it found under a code that does not change. `ledger explain CODE`
prints the same text as this page, which `python -m guards.catalogue > docs/guards.md` writes.

An **error** fails the command (exit code 1), a **warning** and a **note** do not. What could not be looked at
is **skipped** with the reason, and counts as no pass.
"""


def page() -> str:
    """The whole page, as Markdown."""
    return "\n".join([HEAD, *_contents(), *(line for guard in ALL for line in _section(guard))])


def _contents() -> Iterator[str]:
    yield "| family | code | says |"
    yield "|---|---|---|"
    for family, guards in FAMILIES.items():
        for guard in guards:
            yield f"| {family} | [{guard.CODE}](#{guard.CODE.lower()}) | {guard.TITLE} |"


def _section(guard: Guard) -> Iterator[str]:
    explanation = guard.EXPLANATION
    yield f"\n## {guard.CODE}\n\n**{guard.TITLE[0].upper()}{guard.TITLE[1:]}.** {explanation.means}"
    yield f"\n*Why it matters:* {explanation.matters}"
    yield f"\n*What to do:* {explanation.do}"


if __name__ == "__main__":
    print(page())
