"""The journal is sound in itself, and has every line of the base's (JRN001 to JRN007)."""

from guards.guard import inspect
from guards.journal import AGAINST_BASE
from ledger.commands.fsck import inspect_journal
from ledger.commands.gate.context import HERE, Checked, GateContext
from ledger.evidence import Evidence
from ledger.evidence.gate import JournalText

NAME = "journal"


def check(scene: GateContext) -> Checked:
    """Inspect the journal of the work tree, alone and against the base's."""
    sound, entries = inspect_journal(scene.journal, scene.workspace.root)
    past, present = JournalText(scene.base.name, scene.past), JournalText(HERE, scene.journal.read())
    grown = inspect(AGAINST_BASE, Evidence(past), Evidence(present))
    before = scene.past.count(b"\n")
    about = f"{entries:,} entries, of which the base has {before:,}"
    return Checked(NAME, about, sound + grown)
