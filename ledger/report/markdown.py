"""The report as Markdown, like a handwritten log: one section per experiment, its newest run first."""

from collections.abc import Iterator, Mapping

from ledger.display.table import Table
from ledger.evidence import Unobserved
from ledger.journal.query import findings_of
from ledger.journal.run import Run
from ledger.report.attention import baseline_and_best, basis, standing
from ledger.report.page import Attention, ExperimentPage, Page, RunView
from ledger.report.training_chart import summary
from ledger.report.translations import LANGUAGES
from ledger.utils.escape import code, escaped

Words = Mapping[str, str]


def to_markdown(page: Page, language: str) -> str:
    """The page in `en` or `ja`, to commit with the code."""
    words = LANGUAGES[language]
    parts = [escaped(f"# {words['title'].format(page.repository)}"), words["rehearsals"]]
    if page.total > len(page.runs):
        parts.append(words["limited"].format(f"{len(page.runs):,}", f"{page.total:,}"))
    if page.runs:
        reasons = "\n".join(_reason(one, words) for one in page.attention) or words["attention_none"]
        parts.append(f"## {words['attention']}\n\n{reasons}")
    parts.append(_overview(page, words))
    views = {view.run.id: view for view in page.views}
    parts += ["\n\n".join(_experiment(page, one, views, words)) for one in page.experiments]
    return "\n\n".join(part for part in (*parts, "[ledger]: # (written by ledger report)") if part) + "\n"


def _reason(one: Attention, words: Words) -> str:
    sentence = escaped(f"{one.run}: {one.sentence(words)}")
    return f"- **{words[f'kind_{one.kind}']}** {sentence} {words['next']}: {code(one.command)}"


def _overview(page: Page, words: Words) -> str:
    headings = tuple(words[key] for key in ("experiment", "what", "mode", "verdict"))
    rows = [(one.name, one.title, *_standing(one, words)) for one in page.experiments]
    rest = ("BLEU", "chrF++", words["findings"], words["baseline"], words["best"])
    return Table((*headings, *rest), rows).markdown() or words["nothing"]


def _standing(one: ExperimentPage, words: Words) -> tuple[str, ...]:
    run = one.latest
    if run is None:
        reason = words["skipped"].format(one.decision.why) if one.decision else words["none"]
        return ("", reason, "", "", "", "", "")
    verdict = f"{words.get(standing(run), standing(run))} ({basis(run, words)})"
    others = [other.id if other else "" for other in baseline_and_best(one.runs)]
    return words.get(run.mode, run.mode), verdict, *_scores(run), _codes(run), *others


def _scores(run: Run) -> tuple[str, str]:
    bleu, chrf = (
        f"{found[0].value:.2f} {found[1]}".rstrip() if (found := run.score(name)) else ""
        for name in ("bleu", "chrf")
    )
    return bleu, chrf


def _codes(run: Run) -> str:
    codes = (f"({f.code})" if f.accepted else f.code for f in findings_of(run) if f.severity > 0)
    return " ".join(dict.fromkeys(codes))


def _experiment(page: Page, one: ExperimentPage, views: Mapping[str, RunView], words: Words) -> Iterator[str]:
    yield escaped(f"## {one.name}: {one.title}" if one.title else f"## {one.name}")
    if one.decision:
        by = f"{one.decision.who}, {one.decision.time[:10]}"
        yield escaped(f"{words['skipped'].format(one.decision.why)} ({by})")
    for run in reversed(one.runs):
        if run.id in views:
            yield "\n".join(_run(views[run.id], words))
    notes = [note for note in page.notes if note.experiment == one.name]
    if notes:
        yield "\n".join(escaped(f"- {note.time[:10]} {note.who}: {note.text}") for note in notes)


def _run(view: RunView, words: Words) -> Iterator[str]:
    run = view.run
    mode, verdict = words.get(run.mode, run.mode), words.get(standing(run), standing(run))
    rests = f" ({found})" if (found := basis(run, words)) else ""
    yield f"- **{escaped(run.id)}** {run.time[:16].replace('T', ' ')} UTC, {mode}: {verdict}{rests}"
    for one in view.attention:
        yield f"  {_reason(one, words)}"
    for name in ("bleu", "chrf", "correlation"):
        if scored := run.score(name):
            metric, origin = scored
            yield f"  - {escaped(metric.shown)}{f' ({origin})' if origin else ''} {code(metric.signature)}"
    rates = {code: rate for code, rate in run.rates.items() if rate}
    if rates:
        yield "  - " + ", ".join(f"{escaped(name)} {rate:.2%}" for name, rate in sorted(rates.items()))
    if view.training:
        yield f"  - {escaped(summary(view.training))}"
    for finding in findings_of(run):
        if finding.severity > 0:
            waived = f" ({words['accepted']}: {escaped(finding.accepted)})" if finding.accepted else ""
            yield f"  - {escaped(finding.code)} {escaped(finding.message)}{waived}"
    if view.samples and not isinstance(view.samples.lines, Unobserved):
        for line in view.samples.lines:
            text = "".join(_marked(escaped(part.text), part.code) for part in line.output)
            yield f"  - {line.number:,}: {escaped(line.source or '')} → {text}"


def _marked(text: str, marked: object) -> str:
    return f"**{text}**" if marked else text
