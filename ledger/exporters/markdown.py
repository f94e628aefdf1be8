"""One run as Markdown, for a pull request, a wiki or a log kept by hand."""

from collections.abc import Iterator

from ledger.display.markdown import escaped, table
from ledger.exporters.record import Record
from ledger.findings import Severity


def export(record: Record) -> str:
    """Title, verdict, scores with their signatures, findings, what people said."""
    return "\n\n".join(part for part in _parts(record) if part) + "\n"


def _parts(record: Record) -> Iterator[str]:
    run = record.run
    yield f"## {run.id}: {run.title or run.experiment}"
    if run.is_rehearsal:
        yield "A rehearsal: it says nothing about the real model."
    yield f"{run.verdict or run.status}, started {run.time[:16].replace('T', ' ')} UTC"
    yield table(
        ("score", "value", "how it was computed"),
        (
            (
                name,
                f"{metric.shown} of {metric.scale[0]:g}–{metric.scale[1]:g}" if metric.scale[1] else "",
                metric.signature,
            )
            for name, metric in record.run.metrics.items()
        ),
    )
    yield table(("guard", "lines flagged"), ((code, f"{rate:.2%}") for code, rate in run.rates.items()))
    yield table(
        ("finding", "says", "about"),
        (
            (f.code, f"accepted: {f.accepted}" if f.accepted else f.severity.label, f.message)
            for f in record.findings
            if f.severity > Severity.INFO
        ),
    )
    if record.ratings or record.notes:
        yield "\n".join(_said(record))


def _said(record: Record) -> Iterator[str]:
    for one in record.ratings:
        shares = ", ".join(f"{name} {share.share:.0%}" for name, share in one.shares.items())
        yield f"- {one.who} judged {one.lines:,} of {one.of:,} lines: {shares}"
    for note in record.notes:
        yield f"- {note.time[:10]} {note.who}: {escaped(note.text)}"
