"""`ledger log`: the recorded runs, one per line. Must start fast: no rich console, pydantic or git."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from ledger.cli import complete
from ledger.cli.output import echo, emit, json_option
from ledger.errors import UsageError

if TYPE_CHECKING:
    from ledger.findings import Json
    from ledger.journal.annotations import Decision
    from ledger.journal.query import Wanted
    from ledger.journal.run import Run
    from ledger.workspace import Workspace

LATEST = 20
HEADINGS = ("mode", "verdict", "verified", "BLEU", "chrF++", "findings")
OPTIONAL = ("verified", "chrF++")  # left out if empty
METRICS = ("bleu", "chrf")


@click.command("log")
@click.option(
    "-n", "count", type=click.IntRange(min=1), default=LATEST, show_default=True, help="How many runs."
)
@click.option(
    "--experiment", metavar="NAME", shell_complete=complete.runs, help="Only runs of this experiment."
)
@click.option(
    "--verdict", type=click.Choice(["pass", "fail", "inconclusive"]), help="Only runs with this verdict."
)
@click.option(
    "--mode", type=click.Choice(["real", "rehearsal", "command", "imported"]), help="Only runs of this mode."
)
@click.option("--since", metavar="WHEN", help="Only runs that started since: 2026-11-01 or 7d.")
@click.option(
    "--metric",
    "bounds",
    multiple=True,
    metavar="BOUND",
    help="Only runs with such a score: 'bleu>30'; repeatable.",
)
@click.option(
    "--code",
    metavar="CODE",
    shell_complete=complete.codes,
    help="Only runs with this finding, accepted or not.",
)
@click.option("--all", "everything", is_flag=True, help="List all runs.")
@json_option
def command(
    count: int,
    experiment: str | None,
    verdict: str | None,
    mode: str | None,
    since: str | None,
    bounds: tuple[str, ...],
    code: str | None,
    everything: bool,
    as_json: bool,
) -> None:
    """List the recorded runs, the latest last, then the experiments that were skipped on purpose.

    A rehearsal is marked as such: its scores say nothing about the real model. An accepted finding is in
    parentheses. BLEU and chrF++ are 0-100; ledger show RUN says how they were computed. `script` is what a
    script's own evaluation logged last, `sample` the score of a checkpoint's few sample lines. `verified` is
    how many of the saved checkpoints were verified.

    \b
    ledger log --experiment exp7
    ledger log --verdict fail --since 7d
    ledger log --metric 'bleu>30' --mode real --all
    """
    from ledger.journal.annotations import standing_decisions
    from ledger.journal.query import Wanted, parse_bound, parse_since
    from ledger.workspace import Workspace

    workspace = Workspace.find()
    wanted = Wanted(
        experiment,
        verdict,
        mode,
        since=parse_since(since) if since else None,
        code=code.upper() if code else None,
        tests=tuple(map(parse_bound, bounds)),
    )
    runs = _select(workspace, wanted, None if everything else count)
    skipped = [
        one for one in standing_decisions(workspace) if wanted.is_everything or experiment == one.experiment
    ]
    if as_json:
        emit({"runs": [_row(run) for run in runs], "skipped": [asdict(one) for one in skipped]}, as_json)
    elif runs or skipped:
        echo(*(_table(runs) if runs else []), *_decisions(skipped))
    else:
        echo(_nothing(wanted))


def _select(workspace: "Workspace", wanted: "Wanted", count: int | None) -> "list[Run]":
    from ledger.journal.runs import latest_runs, load_runs, nearest

    if count is not None and wanted.is_everything:
        return latest_runs(workspace, count)
    runs = load_runs(workspace)
    if wanted.experiment and not any(run.experiment == wanted.experiment for run in runs):
        raise UsageError(
            f"there is no recorded run of {wanted.experiment!r}", hint=nearest(runs, wanted.experiment)
        )
    matching = [run for run in runs if wanted.has(run)]
    return matching[-count:] if count else matching


def _decisions(skipped: "list[Decision]") -> list[str]:
    import shutil

    from ledger.display.table import Column, Table

    rows = [(one.experiment, one.time[:10], "skipped", f"{one.why} ({one.who})") for one in skipped]
    table = Table((*[Column(fit="whole")] * 3, Column(fit="cut")), rows)
    return table.lines(shutil.get_terminal_size((80, 24)).columns)


def _row(run: "Run") -> "dict[str, Json]":
    from ledger.journal.query import findings_of

    return {
        **run.summary(),
        "metrics": run.recorded_metrics,
        "checkpoints": dict(zip(("verified", "saved"), run.verified, strict=True)) if run.verified else None,
        "reproduced": [one.result for one in run.reproductions],
        "findings": [
            {"code": f.code, "severity": f.severity.label, "accepted": f.accepted} for f in findings_of(run)
        ],
    }


def _table(runs: "list[Run]") -> list[str]:
    import shutil

    from ledger.display.table import Column, Table, styled

    years = {run.time[:4] for run in runs}
    started = f"{years.pop()}, UTC" if len(years) == 1 else ""
    rows = [[run.id, _minute(run)[5 if started else 0 :], *_cells(run)] for run in runs]
    *whole, last = "run", started or "started (UTC)", *HEADINGS
    for name in OPTIONAL:
        place = whole.index(name)
        if not any(row[place] for row in rows):
            del whole[place]
            rows = [[*row[:place], *row[place + 1 :]] for row in rows]
    table = Table((*(Column(one, "whole") for one in whole), Column(last, "cut")), rows)
    heading, *lines = table.lines(shutil.get_terminal_size((80, 24)).columns)
    return [styled(heading, "bold"), *lines]


def _minute(run: "Run") -> str:
    return run.time[:16].replace("T", " ")


def _cells(run: "Run") -> list[str]:
    verified = "{} of {}".format(*run.verified) if run.verified else ""
    return [run.mode, _verdict(run), verified, *(_score(run, name) for name in METRICS), _codes(run)]


def _score(run: "Run", name: str) -> str:
    found = run.score(name)
    return f"{found[0].value:5.1f} {found[1]}".rstrip() if found else ""


def _verdict(run: "Run") -> str:
    return str(run.verdict) if run.status == "finished" and run.verdict else run.status


def _codes(run: "Run") -> str:
    from ledger.findings import Severity
    from ledger.journal.query import findings_of

    shown = [f for f in findings_of(run) if f.severity > Severity.INFO]
    codes = dict.fromkeys(f"({f.code})" if f.accepted else f.code for f in shown)
    return " ".join([*codes, *_repeated(run)])


def _repeated(run: "Run") -> list[str]:
    """The result of the latest reproduction that changed no setting."""
    plain = [one for one in run.reproductions if not one.body.get("settings")]
    if not plain:
        return []
    codes = [found["code"] for found in plain[-1].body["report"]["findings"] if found["severity"] == "error"]
    return codes or ["reproduced"]


def _nothing(wanted: "Wanted") -> str:
    if wanted.is_everything:
        return "no runs recorded yet; start with: ledger run EXPERIMENT --rehearse"
    return "no recorded run matches"
