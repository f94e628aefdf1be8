"""The journal is intact, and has every line of the base's (JRN001 to JRN007)."""

from guards.guard import inspect
from guards.journal import AGAINST_BASE
from ledger.commands.fsck import inspect_journal
from ledger.commands.gate.context import HERE, Checked, GateContext
from ledger.evidence import Evidence
from ledger.evidence.gate import JournalText
from ledger.utils.plural import count

NAME = "journal"


def check(context: GateContext) -> Checked:
    """Inspect the journal of the work tree, by itself and compared with the base's."""
    sound, entries = inspect_journal(context.journal, context.workspace.root)
    past, present = JournalText(context.base.name, context.past), JournalText(HERE, context.journal.read())
    grown = inspect(AGAINST_BASE, Evidence(past), Evidence(present))
    before = context.past.count(b"\n")
    about = f"{count(entries, 'entry', 'entries')}, of which the base has {before:,}"
    return Checked(NAME, about, sound + grown)
