"""What about a run needs attention, and what its verdict rests on, for the page, Markdown and `show`."""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ledger.evidence.suspects import Kind
from ledger.findings import Finding, Json, Severity, Verdict
from ledger.journal.query import findings_of
from ledger.journal.run import CheckpointRow, Run
from ledger.report.page import Attention, RunChange, Unfinished
from ledger.utils.plural import and_more
from ledger.utils.text import shorten

FAMILIES = {"CKP": "checkpoints", "TXT": "text", "SCO": "scores", "TRN": "training", "DUP": "identity"}
CHARACTERS = 240  # of a guard's message
MOST_NAMED = 3
UNSTATED = "the record does not say why"
Words = Mapping[str, str]


def needs_attention(
    run: Run,
    *,
    first_with_output: Mapping[str, Run],
    drift: RunChange | None = None,
    unfinished: Unfinished | None = None,
) -> Iterator[Attention]:
    """The reasons to look at `run`, the most urgent first.

    `first_with_output`: the first run that wrote each output, by digest. `drift`: what changed since an
    earlier run of its experiment; only its environment can drift, settings are chosen.
    """
    failures = list(_failed(run))
    yield from failures
    if run.verdict is Verdict.FAIL and not failures:
        yield Attention("failed", run.id, "att_fail", _line("show", run.id))
    yield from _unverified(run)
    yield from _identical(run, first_with_output)
    if drift and (hard := [one for one in drift.suspects if one.hard and one.kind is not Kind.SETTING]):
        names = [f"{one.name} {_shown(one.before)} → {_shown(one.after)}" for one in hard]
        facts = {"before": drift.before, "what": and_more(names, MOST_NAMED)}
        yield Attention("drifted", run.id, "att_drifted", _line("diff-env", drift.before, run.id), facts)
    if unfinished and unfinished.state == "stalled":
        facts = {"minutes": f"{unfinished.minutes or 0:.0f}"}
        yield Attention("stalled", run.id, "att_stalled", "ledger ps", facts)
    elif run.status == "interrupted":
        yield Attention("stalled", run.id, "att_interrupted", _resume(run))


def first_with_output(runs: Iterable[Run]) -> dict[str, Run]:
    """The first run that wrote each output, by digest; rehearsals of one experiment write the same."""
    found: dict[str, Run] = {}
    for run in runs:
        if not run.is_rehearsal and run.output and (digest := run.output.sha256 or run.output.md5):
            found.setdefault(digest, run)
    return found


def basis(run: Run, words: Words) -> str:
    """What the verdict rests on: families of guards that looked at the result, and checkpoints verified."""
    if run.verdict is None:
        return ""
    parts = [words[f"basis_{name}"] for name in _families(run)]
    if run.verified:
        done = words["basis_verified"].format(*run.verified)
        parts = [done, *(part for part in parts if part != words["basis_checkpoints"])]
    return words["basis"].format(", ".join(parts)) if parts else words["basis_nothing"]


def standing(run: Run) -> str:
    """The verdict of a finished run, else its status; `unverified` for a pass that rests on nothing."""
    if run.status != "finished" or run.verdict is None:
        return run.status
    rests = _families(run) or (run.verified or (0, 0))[0]
    return str(run.verdict) if rests or run.verdict is not Verdict.PASS else "unverified"


def best_checkpoint(run: Run) -> CheckpointRow | None:
    """The one to use: of those that passed, the highest BLEU after a reload, else the newest."""
    passed = [row for row in run.checkpoints if row.verdict is Verdict.PASS]
    return max(passed, key=lambda row: (-1 if row.reloaded is None else row.reloaded, row.step), default=None)


def baseline_and_best(runs: Sequence[Run]) -> tuple[Run | None, Run | None]:
    """The first real run that passed, and the one with the highest BLEU of those computed in the same way."""
    passed = [run for run in runs if run.mode == "real" and run.verdict is Verdict.PASS]
    if not passed:
        return None, None
    scores = {run.id: found[0] for run in passed if (found := run.score("bleu"))}
    scored = [run for run in passed if run.id in scores]
    if not scored:
        return passed[0], None
    alike = [run for run in scored if scores[run.id].signature == scores[scored[0].id].signature]
    return passed[0], max(alike, key=lambda run: scores[run.id].value)


def _failed(run: Run) -> Iterator[Attention]:
    if run.status == "failed":
        why = {"why": shorten(run.error or "-", CHARACTERS)}
        yield Attention("failed", run.id, "att_ended", _resume(run), why)
    elif run.exit_code:
        yield Attention("failed", run.id, "att_exit", _line("show", run.id), {"code": run.exit_code})
    errors = _open(run, Severity.ERROR)
    if errors and run.verdict is Verdict.FAIL:
        first = errors[0]
        more = len({one.code for one in errors}) - 1
        message = shorten(first.message, CHARACTERS)
        facts: dict[str, Json] = {"code": first.code, "message": message, "more": more}
        yield Attention(
            "failed", run.id, "att_failed_more" if more else "att_failed", _next(run, first), facts
        )


def _unverified(run: Run) -> Iterator[Attention]:
    if run.status != "finished":
        return
    done, saved = run.verified or (0, 0)
    left = next((row for row in run.checkpoints if row.verdict is Verdict.INCONCLUSIVE), None)
    unread = run.result.get("unverified") or ()
    if done < saved:
        path = left.path if left else str(unread[0].get("path") or "") if unread else ""
        facts: dict[str, Json] = {"left": saved - done, "saved": saved, "why": _why(run)}
        command = _line("verify", path) if path else _line("show", run.id)
        yield Attention("unverified", run.id, "att_checkpoints", command, facts)
    elif run.verdict is Verdict.INCONCLUSIVE:
        facts = {"why": _why(run)}
        yield Attention("unverified", run.id, "att_inconclusive", _line("show", run.id), facts)
    elif standing(run) == "unverified":
        command = _line("check", run.output.path) if run.output else _line("show", run.id)
        yield Attention("unverified", run.id, "att_nothing", command)


def _why(run: Run) -> str:
    """The first reason that something was asked for and not checked."""
    reasons = [skip.reason for skip in run.report.skips if skip.required]
    reasons += [str(one.get("reason")) for one in run.result.get("unverified") or ()]
    return shorten(reasons[0], CHARACTERS) if reasons else UNSTATED


def _identical(run: Run, first: Mapping[str, Run]) -> Iterator[Attention]:
    digest = run.output and (run.output.sha256 or run.output.md5)
    other = first.get(digest or "")
    if other is not None and other.experiment != run.experiment and not run.is_rehearsal:
        facts: dict[str, Json] = {"other": other.id}
        yield Attention("identical", run.id, "att_identical", _line("compare", other.id, run.id), facts)
        return
    for finding in _open(run, Severity.WARNING):
        if finding.code.startswith("DUP") and (name := finding.evidence.get("run")):
            facts = {"code": finding.code, "message": shorten(finding.message, CHARACTERS)}
            yield Attention("identical", run.id, "att_failed", _line("compare", name, run.id), facts)
            return


def _open(run: Run, least: Severity) -> list[Finding]:
    """The findings of at least this severity that nobody accepted."""
    return [one for one in findings_of(run) if one.severity >= least and one.accepted is None]


def _next(run: Run, finding: Finding) -> str:
    """What to do about an error: verify the checkpoint again, else read what the code means."""
    steps = finding.steps
    path = next((row.path for row in run.checkpoints if row.step in steps and row.path), "")
    return _line("verify", path) if path else _line("explain", finding.code)


def _resume(run: Run) -> str:
    if run.mode not in ("real", "rehearsal"):
        return _line("show", run.id)
    return _line("run", run.experiment, *(["--rehearse"] if run.is_rehearsal else []), "--resume")


def _line(*words: str) -> str:
    """A command of ours as one can paste it into a shell, whatever a path is called."""
    return shlex.join(["ledger", *words])


def _families(run: Run) -> list[str]:
    """The families of guards that looked at the result; those that found nothing to look at do not count."""
    codes = {*run.report.passed, *(finding.code for finding in run.report.findings)}
    return [name for family, name in FAMILIES.items() if any(code.startswith(family) for code in codes)]


def _shown(value: Json) -> str:
    return "-" if value is None else str(value)
