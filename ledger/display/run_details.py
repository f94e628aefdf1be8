"""One run in full for a terminal: sections of recorded facts, results, and what people added."""

import re
from collections.abc import Iterator, Mapping, Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from ledger.display.results import checkpoints_table, report_table
from ledger.display.table import Column, Table
from ledger.findings import Json
from ledger.journal.annotations import Note, Rating
from ledger.journal.run import Acceptance, RecordedReproduction, Run
from ledger.utils.escape import visible
from ledger.utils.plural import count

INDENT = (0, 0, 0, 2)
DIGEST = re.compile("(sha256:)?[0-9a-f]{64}")
MEANING = {
    "rehearsal": "rehearsal (says nothing about the real model)",
    "imported": "imported (claims of its source, not observations)",
}
CLAIMS = ("title", "outcome", "model", "params", "metrics", "rates", "facts")
SHOWN_DIGITS = 16  # of 64, which would not fit on a line; --json has them all


def run_sections(
    run: Run,
    files: Mapping[str, Json],
    notes: Sequence[Note] = (),
    ratings: Sequence[Rating] = (),
    *,
    basis: str = "",
    attention: Sequence[tuple[str, str]] = (),
) -> list[RenderableType]:
    """Everything that the journal has on `run`, the notes and ratings about it, and where its files are.

    `basis` is what its verdict rests on, `attention` the reasons to look at it, each with the next command:
    both come first.
    """
    reasons = [Text(f"{visible(reason)}\n  next: {visible(command)}") for reason, command in attention]
    first = ("needs attention", reasons)
    sections = [first, *run_facts(run, files, notes, ratings)]
    return [_title(run, basis), *(part for title, body in sections if body for part in _section(title, body))]


def run_facts(
    run: Run, files: Mapping[str, Json], notes: Sequence[Note] = (), ratings: Sequence[Rating] = ()
) -> list[tuple[str, Sequence[Table | Text]]]:
    """The sections of a run by title, some of them empty: the result, then what went in, then the rest."""
    before, after = run.started, run.result
    return [
        ("guards on the result", _guards(run, "report")),
        ("checkpoints", [checkpoints_table(after["checkpoints"])] if run.checkpoints else []),
        ("not verified", _facts({one["path"]: one["reason"] for one in after.get("unverified") or ()})),
        ("metrics", _metrics(run.recorded_metrics)),
        ("claims", _facts(_claims(run.claims or {}))),
        ("not readable in the source", [Text(visible(one)) for one in before.get("problems") or ()]),
        ("preflight guards", _guards(run, "preflight")),
        ("accepted", [_acceptance(one) for one in run.acceptances]),
        ("notes", [_note(one) for one in notes]),
        ("ratings by people", [_rating(one) for one in ratings]),
        ("spec", _facts({"digest": run.spec_digest, **_flat(run.spec)})),
        ("source", _facts(_flat(before.get("source")))),
        ("command", _facts({"argv": before.get("command"), "exit code": run.exit_code})),
        ("data", _facts(_flat(before.get("data")))),
        ("read, and ignored by git", _facts({one["path"]: _read(one) for one in after.get("reads") or ()})),
        ("environment", _facts({"environment": run.environment, "machine": run.machine})),
        ("git", _facts(_flat(run.git))),
        ("effective configuration", _facts(_flat(run.effective))),
        ("output", _facts({**_flat(after.get("output")), "batch sizes": after.get("batch_sizes")})),
        ("files", _facts(files)),
        ("reproduced", [_repeated(one) for one in run.reproductions]),
    ]


def _title(run: Run, basis: str) -> Text:
    ended = str(run.verdict or run.status) if run.status == "finished" else run.status
    took = f", {run.seconds:,.1f} s" if run.seconds is not None else ""
    kind = MEANING.get(run.mode, run.mode)
    began = "imported" if run.status == "claimed" else "started"
    title = Text.assemble(
        (run.id, "bold"), f"  {ended}  {kind}, {began} {run.time[:19].replace('T', ' ')} UTC{took}"
    )
    if basis:
        title.append(f"\n{basis}")
    return title.append(f"\nfailed: {visible(run.error)}") if run.error else title


def _claims(claims: Mapping[str, Json]) -> dict[str, Json]:
    """The claims of a source, the most interesting first; one line for each series, packages only counted."""
    shown = {name: claims[name] for name in CLAIMS if name in claims}
    environment = dict(claims.get("environment") or {})
    packages = environment.pop("packages", None)
    if packages:
        environment["packages"] = f"{len(packages):,}; --json lists them"
    series = {f"series.{name}": _series(one) for name, one in (claims.get("series") or {}).items()}
    return {**_flat(shown), **series, **_flat({"environment": environment})}


def _read(one: Mapping[str, Json]) -> str:
    digest = f", sha256:{one['sha256'][:SHOWN_DIGITS]}…" if "sha256" in one else ""
    return f"{one['bytes']:,} bytes{digest}"


def _series(one: Mapping[str, Json]) -> str:
    """One line: NaN and infinity, which are recorded as text, are counted apart from the range."""
    points = f"{count(one['points'], 'point')} to step {one['last_step']:,}: "
    ends = f"first {_figure(one['first'])}, last {_figure(one['last'])}"
    span = f", {_figure(one['min'])} to {_figure(one['max'])}" if one.get("min") is not None else ""
    lost = f", {one['not_finite']:,} not finite" if one.get("not_finite") else ""
    return points + ends + span + lost


def _figure(value: Json) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _acceptance(one: Acceptance) -> Text:
    return Text(visible(f"{one.code} by {one.who}, {one.time[:10]}: {one.why}"))


def _repeated(one: RecordedReproduction) -> Text:
    changes = ", ".join(f"{each['field']} {each['after']}" for each in one.body.get("settings") or ())
    how = f", with {changes}" if changes else ""
    messages = "; ".join(found["message"] for found in one.body["report"]["findings"])
    return Text(visible(f"{one.time[:10]}: {one.result}{how}{f': {messages}' if messages else ''}"))


def _note(one: Note) -> Text:
    about = "" if one.run else f" (about {one.experiment})"
    return Text(visible(f"{one.time[:10]} {one.who}{about}: {one.text}"))


def _rating(one: Rating) -> Text:
    shares = ", ".join(
        f"{name} {share.share:.1%} ({share.interval[0]:.1%} to {share.interval[1]:.1%})"
        for name, share in one.shares.items()
    )
    return Text(f"{one.time[:10]} {one.who}, {one.lines:,} of {one.of:,} lines: {shares}")


def _section(title: str, body: Sequence[Table | Text]) -> Iterator[RenderableType]:
    yield Text(f"\n{title}", "bold cyan")
    for part in body:
        yield Padding(part, INDENT)


def _facts(facts: Mapping[str, Json]) -> list[Table]:
    known = {key: _text(value) for key, value in facts.items() if value is not None and value not in ([], {})}
    return [Table(("", ""), list(known.items()))] if known else []


def _metrics(metrics: Mapping[str, Mapping[str, Json]]) -> list[Table]:
    rows = []
    for name, one in metrics.items():
        low, high = one.get("scale") or (None, None)
        scale = f"of {low:g}–{high:g}" if high is not None else ""
        rows.append((name, f"{one['value']:,.4g}", scale, str(one.get("signature") or "")))
    return [Table((*[Column(fit="whole")] * 3, ""), rows)] if rows else []


def _guards(run: Run, which: str) -> list[Table]:
    report = run.preflight if which == "preflight" else run.report
    return [report_table(report)] if report.findings or report.skips or report.passed else []


def _flat(value: Json, prefix: str = "") -> dict[str, Json]:
    """Nested facts flattened to dotted names, as `--set` takes them."""
    if not isinstance(value, Mapping):
        return {prefix.rstrip("."): value} if prefix else {}
    return {key: one for name, part in value.items() for key, one in _flat(part, f"{prefix}{name}.").items()}


def _text(value: Json) -> str:
    if isinstance(value, str) and DIGEST.fullmatch(value):
        return f"{value[: value.find(':') + 1 + SHOWN_DIGITS]}…"
    if isinstance(value, list):
        return " ".join(map(_text, value))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else visible(str(value))
