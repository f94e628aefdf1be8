"""`ledger log`: the recorded runs, one a line. Typed all day long: no rich tables, pydantic or git here."""

from typing import TYPE_CHECKING

import click

from ledger.cli.output import emit, json_option

if TYPE_CHECKING:
    from ledger.findings import Json
    from ledger.runs import Run
    from ledger.workspace import Workspace

LATEST = 20
HEADINGS = ("mode", "verdict", "BLEU", "chrF++", "findings")
METRICS = ("bleu", "chrf")


@click.command("log")
@click.option("-n", "count", type=click.IntRange(min=1), default=LATEST, show_default=True, help="How many.")
@click.option("--experiment", metavar="NAME", help="Only the runs of this experiment.")
@click.option("--verdict", type=click.Choice(["pass", "fail", "inconclusive"]), help="Only these.")
@click.option("--all", "everything", is_flag=True, help="All of them, however many.")
@json_option
def command(count: int, experiment: str | None, verdict: str | None, everything: bool, as_json: bool) -> None:
    """List the recorded runs, the latest last.

    A rehearsal is marked as such: its scores say nothing about the real model. A finding that was accepted
    stands in parentheses. BLEU and chrF++ are 0-100; ledger show RUN tells how they were computed.

    \b
    ledger log --experiment exp7
    ledger log --verdict fail --all
    """
    from ledger.workspace import Workspace

    runs = _select(Workspace.find(), experiment, verdict, None if everything else count)
    if as_json:
        emit({"runs": [_row(run) for run in runs]}, as_json)
    else:
        click.echo("\n".join(_table(runs)) if runs else _nothing(experiment, verdict))


def _select(
    workspace: "Workspace", experiment: str | None, verdict: str | None, count: int | None
) -> "list[Run]":
    from ledger.errors import UsageError
    from ledger.runs import latest_runs, load_runs, nearest

    if count is not None and not experiment and not verdict:
        return latest_runs(workspace, count)
    runs = load_runs(workspace)
    if experiment and not any(run.experiment == experiment for run in runs):
        raise UsageError(f"no run of {experiment!r} is recorded", hint=nearest(runs, experiment))
    kept = [run for run in runs if experiment in (None, run.experiment) and verdict in (None, run.verdict)]
    return kept[-count:] if count else kept


def _row(run: "Run") -> "dict[str, Json]":
    from ledger.runs import head

    findings = (*run.preflight.findings, *run.report.findings)
    return {
        **head(run),
        "metrics": (run.finished or {}).get("metrics") or {},
        "reproduced": [one.result for one in run.reproductions],
        "findings": [
            {"code": f.code, "severity": f.severity.label, "accepted": f.accepted} for f in findings
        ],
    }


def _table(runs: "list[Run]") -> list[str]:
    import shutil

    from ledger.columns import columns

    years = {run.time[:4] for run in runs}
    started = f"{years.pop()}, UTC" if len(years) == 1 else ""
    rows = [["run", started or "started (UTC)", *HEADINGS]]
    rows += [[run.id, _minute(run)[5 if started else 0 :], *_cells(run)] for run in runs]
    heading, *lines = columns(rows, shutil.get_terminal_size((80, 24)).columns)
    return [click.style(heading, bold=True), *lines]


def _minute(run: "Run") -> str:
    return run.time[:16].replace("T", " ")


def _cells(run: "Run") -> list[str]:
    metrics = (run.finished or {}).get("metrics") or {}
    scores = [f"{metrics[name]['value']:5.1f}" if name in metrics else "" for name in METRICS]
    return [run.mode, _verdict(run), *scores, _codes(run)]


def _verdict(run: "Run") -> str:
    return str(run.verdict) if run.status == "finished" and run.verdict else run.status


def _codes(run: "Run") -> str:
    from ledger.findings import Severity

    told = [f for f in (*run.preflight.findings, *run.report.findings) if f.severity > Severity.INFO]
    codes = dict.fromkeys(f"({f.code})" if f.accepted else f.code for f in told)
    return " ".join([*codes, *_repeated(run)])


def _repeated(run: "Run") -> list[str]:
    """How the latest reproduction ended, of those that changed nothing on purpose."""
    plain = [one for one in run.reproductions if not one.body.get("settings")]
    if not plain:
        return []
    codes = [found["code"] for found in plain[-1].body["report"]["findings"] if found["severity"] == "error"]
    return codes or ["reproduced"]


def _nothing(experiment: str | None, verdict: str | None) -> str:
    if experiment or verdict:
        return "no such run is recorded"
    return "nothing is recorded yet; start with: ledger run EXPERIMENT --rehearse"
