"""The report as Markdown, like a handwritten log: one section per experiment, its newest run first."""

from collections.abc import Iterator, Mapping

from ledger.display.table import Table
from ledger.evidence import Unobserved
from ledger.journal.query import findings_of
from ledger.journal.run import Run
from ledger.report.html import standing
from ledger.report.page import ExperimentPage, Page
from ledger.report.training_chart import summary
from ledger.report.translations import LANGUAGES
from ledger.utils.escape import code, escaped

Words = Mapping[str, str]


def to_markdown(page: Page, language: str) -> str:
    """The page in `en` or `ja`, to commit with the code."""
    words = LANGUAGES[language]
    parts = [
        escaped(f"# {words['title'].format(page.repository)}"),
        words["rehearsals"],
        _overview(page, words),
    ]
    parts += ["\n\n".join(_experiment(page, one, words)) for one in page.experiments]
    return "\n\n".join(part for part in (*parts, "[ledger]: # (written by ledger report)") if part) + "\n"


def _overview(page: Page, words: Words) -> str:
    headings = tuple(words[key] for key in ("experiment", "what", "mode", "verdict"))
    rows = [(one.name, one.title, *_standing(one, words)) for one in page.experiments]
    return Table((*headings, "BLEU", "chrF++", words["findings"]), rows).markdown() or words["nothing"]


def _standing(one: ExperimentPage, words: Words) -> tuple[str, ...]:
    run = one.latest
    if run is None:
        reason = words["skipped"].format(one.decision.why) if one.decision else words["none"]
        return ("", reason, "", "", "")
    return words.get(run.mode, run.mode), words.get(standing(run), standing(run)), *_scores(run), _codes(run)


def _scores(run: Run) -> tuple[str, str]:
    bleu, chrf = (
        f"{found[0].value:.2f} {found[1]}".rstrip() if (found := run.score(name)) else ""
        for name in ("bleu", "chrf")
    )
    return bleu, chrf


def _codes(run: Run) -> str:
    codes = (f"({f.code})" if f.accepted else f.code for f in findings_of(run) if f.severity > 0)
    return " ".join(dict.fromkeys(codes))


def _experiment(page: Page, one: ExperimentPage, words: Words) -> Iterator[str]:
    yield escaped(f"## {one.name}: {one.title}" if one.title else f"## {one.name}")
    if one.decision:
        by = f"{one.decision.who}, {one.decision.time[:10]}"
        yield escaped(f"{words['skipped'].format(one.decision.why)} ({by})")
    for run in reversed(one.runs):
        yield "\n".join(_run(page, run, words))
    notes = [note for note in page.notes if note.experiment == one.name]
    if notes:
        yield "\n".join(escaped(f"- {note.time[:10]} {note.who}: {note.text}") for note in notes)


def _run(page: Page, run: Run, words: Words) -> Iterator[str]:
    mode, verdict = words.get(run.mode, run.mode), words.get(standing(run), standing(run))
    yield f"- **{escaped(run.id)}** {run.time[:16].replace('T', ' ')} UTC, {mode}: {verdict}"
    for name in ("bleu", "chrf", "correlation"):
        if found := run.score(name):
            metric, origin = found
            yield f"  - {escaped(metric.shown)}{f' ({origin})' if origin else ''} {code(metric.signature)}"
    rates = {code: rate for code, rate in page.rates.get(run.id, {}).items() if rate}
    if rates:
        yield "  - " + ", ".join(f"{escaped(name)} {rate:.2%}" for name, rate in sorted(rates.items()))
    for curve in page.trainings:
        if curve.run == run.id:
            yield f"  - {escaped(summary(curve))}"
    for finding in findings_of(run):
        if finding.severity > 0:
            waived = f" ({words['accepted']}: {escaped(finding.accepted)})" if finding.accepted else ""
            yield f"  - {escaped(finding.code)} {escaped(finding.message)}{waived}"
    yield from _samples(page, run)


def _samples(page: Page, run: Run) -> Iterator[str]:
    for one in page.samples:
        if one.run == run.id and not isinstance(one.lines, Unobserved):
            for line in one.lines:
                text = "".join(_marked(escaped(part.text), part.code) for part in line.output)
                yield f"  - {line.number:,}: {escaped(line.source or '')} → {text}"


def _marked(text: str, marked: object) -> str:
    return f"**{text}**" if marked else text
