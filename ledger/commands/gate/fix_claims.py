"""`ledger gate --fix-claims`: writes the journal's numbers into the marked places of documents."""

import re
from collections.abc import Iterator
from decimal import Decimal

from guards.gate.wrong_document_number import NUMBER, problem
from ledger.commands.gate.document_claims import numbers_of_claims
from ledger.evidence.document_claims import find_claims
from ledger.evidence.gate import DocumentClaim, Numbers
from ledger.git.history import GitHistory
from ledger.journal.runs import read_runs
from ledger.journal.store import open_journal
from ledger.utils.atomic_file import write_atomically
from ledger.workspace import Workspace


def fix_claims(workspace: Workspace) -> list[str]:
    """Rewrite each wrong number, with as many decimals as before; return a sentence on each.

    What names no run or no metric of the journal, or holds no single number, stays as it is.
    """
    runs = [run for run in read_runs(open_journal(workspace, "real").entries()) if run.status == "finished"]
    fixed: list[str] = []
    for name in GitHistory(workspace.root).files("*.md"):
        path = workspace.root / name
        try:
            text = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            continue  # the check reports it
        claims = find_claims(name, text)
        numbers = numbers_of_claims(claims, runs)
        for index, claim in enumerate(claims):
            right = None if claim.problem else _right(claim, numbers)
            if right and (rewritten := _rewrite(name, text, index, right)):
                text = rewritten
                fixed.append(f"{name}:{claim.line}: {claim.metric} of {claim.run} {claim.text} → {right}")
        if text.encode() != path.read_bytes():
            write_atomically(path, text.encode())
    return fixed


def _right(claim: DocumentClaim, numbers: Numbers) -> str | None:
    """The claim's text with the journal's number; None where it is right, or cannot be made so."""
    key = (claim.run, claim.metric)
    written = NUMBER.findall(claim.text)
    if key not in numbers.values or len(written) != 1 or not problem(claim, numbers):
        return None
    percent = "%" in claim.text and key in numbers.shares
    exact = Decimal(repr(numbers.values[key])) * (100 if percent else 1)
    places = len(written[0].partition(".")[2])
    grouping = "," if "," in written[0] else ""
    return claim.text.replace(written[0], f"{exact:{grouping}.{places}f}")


def _rewrite(name: str, text: str, index: int, right: str) -> str | None:
    """The document with claim `index` rewritten: the first mark of this text that is not a code example."""
    before = find_claims(name, text)
    claim = before[index]
    for start, end in _marks(text, claim):
        changed = text[:start] + _replaced(text[start:end], claim.text, right) + text[end:]
        after = find_claims(name, changed)
        if len(after) == len(before) and after[index].text == right:
            return changed
    return None


def _marks(text: str, claim: DocumentClaim) -> Iterator[tuple[int, int]]:
    """The places between marks of this run and metric, from the claim's line on."""
    first = sum(len(line) for line in text.splitlines(keepends=True)[: claim.line - 1])
    names = rf"{re.escape(claim.run)}\s+{re.escape(claim.metric)}"
    pattern = re.compile(rf"<!--\s*ledger\b:?\s*{names}\s*-->(?P<text>.*?)<!--\s*/ledger\b", re.DOTALL)
    for found in pattern.finditer(text, first):
        yield found.span("text")


def _replaced(written: str, old: str, new: str) -> str:
    """The written text, emphasis included, with the number of `new` for that of `old`."""
    number = NUMBER.findall(old)[0]
    return written.replace(number, NUMBER.findall(new)[0], 1)
