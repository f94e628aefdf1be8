"""One run as Markdown, for a pull request, a wiki or a handwritten log."""

from collections.abc import Iterator

from ledger.display.table import Table
from ledger.exporters.record import Record
from ledger.findings import Severity
from ledger.utils.escape import escaped

OWN = "[ledger]: # (written by ledger export)"


def export(record: Record) -> str:
    """Title, verdict, scores with their signatures, findings, ratings and notes."""
    return "\n\n".join(part for part in (*_parts(record), OWN) if part) + "\n"


def _parts(record: Record) -> Iterator[str]:
    run = record.run
    yield escaped(f"## {run.id}: {run.title or run.experiment}")
    if run.is_rehearsal:
        yield "A rehearsal: it says nothing about the real model."
    yield escaped(f"{run.verdict or run.status}, started {run.time[:16].replace('T', ' ')} UTC")
    scores = [
        (name, f"{one.shown} of {one.scale[0]:g}–{one.scale[1]:g}" if one.scale[1] else "", one.signature)
        for name, one in record.run.metrics.items()
    ]
    yield Table(("score", "value", "how it was computed"), scores).markdown()
    yield Table(
        ("guard", "lines flagged"), [(code, f"{rate:.2%}") for code, rate in run.rates.items()]
    ).markdown()
    findings = [
        (f.code, f"accepted: {f.accepted}" if f.accepted else f.severity.label, f.message)
        for f in record.findings
        if f.severity > Severity.INFO
    ]
    yield Table(("finding", "result", "message"), findings).markdown()
    if record.ratings or record.notes:
        yield "\n".join(_opinions(record))


def _opinions(record: Record) -> Iterator[str]:
    for one in record.ratings:
        shares = ", ".join(f"{name} {share.share:.0%}" for name, share in one.shares.items())
        yield f"- {escaped(one.who)} rated {one.lines:,} of {one.of:,} lines: {shares}"
    for note in record.notes:
        yield escaped(f"- {note.time[:10]} {note.who}: {note.text}")
