"""The journal is intact, and has every line of the base's (JRN001 to JRN007)."""

from dataclasses import replace

from guards.guard import inspect
from guards.journal import AGAINST_BASE
from ledger.commands.fsck import inspect_journal
from ledger.commands.gate.context import HERE, Checked, GateContext
from ledger.evidence import Evidence
from ledger.evidence.gate import JournalText
from ledger.findings import Finding, Report
from ledger.utils.plural import count

NAME = "journal"


def check(context: GateContext) -> Checked:
    """Inspect the journal of the work tree, by itself and compared with the base's."""
    sound, entries = inspect_journal(context.journal, context.workspace.root)
    past, present = JournalText(context.base.name, context.past), JournalText(HERE, context.journal.read())
    grown = inspect(AGAINST_BASE, Evidence(past), Evidence(present))
    if context.is_push and (each := _each_commit(context)).findings:
        grown = Report((*grown.findings, *each.findings), grown.skips)
    before = context.past.count(b"\n")
    about = f"{count(entries, 'entry', 'entries')}, of which the base has {before:,}"
    return Checked(NAME, about, sound + grown)


def _each_commit(context: GateContext) -> Report:
    """The journal of each pushed commit compared with those of its parents.

    A line that one commit drops and a later one restores was still missing in between.
    """
    pairs = context.history.pushed(context.base)
    read = context.history.file
    texts = {one.tree: read(one, context.workspace.journal) for pair in pairs for one in pair}
    found: list[Finding] = []
    for parent, commit in pairs:
        past, present = (JournalText(one.name, texts[one.tree]) for one in (parent, commit))
        report = inspect(AGAINST_BASE, Evidence(past), Evidence(present))
        found += (replace(one, message=f"{commit.name}: {one.message}") for one in report.findings)
    return Report(tuple(found))
