"""What to try after a checkpoint failed: compare it, verify it under another lockfile, find its run."""

import shlex
from collections.abc import Iterable, Iterator
from contextlib import suppress

import orjson

from guards.checkpoint import LINEAGE
from guards.guard import inspect
from ledger.checkpoints.folders import list_checkpoints, read_small
from ledger.checkpoints.marks import stated_mark
from ledger.checkpoints.provenance import origin_of_checkpoint, origin_of_run
from ledger.commands.comet import ENVIRONMENT as COMET
from ledger.commands.verify.values import NextCommand, VerificationContext, VerificationResult
from ledger.environments import lockfile
from ledger.environments.diff.from_tool_folders import is_hugging_face
from ledger.errors import LedgerError
from ledger.evidence import Evidence
from ledger.findings import Report, Verdict
from ledger.journal.run import Run

PACKAGE = "transformers"
CURRENT = "current"  # as diff-env calls the environment of this command


def next_commands(context: VerificationContext, done: VerificationResult) -> tuple[NextCommand, ...]:
    """The commands for a checkpoint that failed; none for any other."""
    if done.report.verdict is not Verdict.FAIL:
        return ()
    return (_compare(context, done), _verify_again(context, done), _find_run(context, done))


def _compare(context: VerificationContext, done: VerificationResult) -> NextCommand:
    run = done.run
    subject = run.id if run else str(done.checkpoint) if is_hugging_face(done.checkpoint) else CURRENT
    if good := _last_good_run(context.runs, run):
        return NextCommand(
            _line("diff-env", good.id, subject), f"shows what differs from the last good run, {good.id}"
        )
    if sibling := _last_good_checkpoint(done):
        return NextCommand(
            _line("diff-env", sibling, str(done.checkpoint)), "shows what differs from the last good one"
        )
    return NextCommand(
        _line("diff-env", subject, CURRENT), "shows what changed in the environment since the save"
    )


def _last_good_run(runs: Iterable[Run], run: Run | None) -> Run | None:
    """The newest that passed, of the same experiment where there is one."""
    good = [one for one in runs if one.verdict is Verdict.PASS and (run is None or one.id != run.id)]
    if run is not None:
        good = [one for one in good if one.mode == run.mode]
        good = [one for one in good if one.experiment == run.experiment] or good
    return good[-1] if good else None


def _last_good_checkpoint(done: VerificationResult) -> str | None:
    others = (one for one in reversed(list_checkpoints(done.checkpoint.absolute().parent)))
    found = (one for one in others if one.name != done.checkpoint.name and stated_mark(one))
    return next((str(done.checkpoint.parent / one.name) for one in found), None)


def _verify_again(context: VerificationContext, done: VerificationResult) -> NextCommand:
    saved, here = _version_of_save(done), context.environment.installed.versions.get(PACKAGE)
    pinned = _pinned_versions(context)
    own = done.run.lockfile_name if done.run else None
    same = [name for name, version in pinned.items() if version == saved and saved != here]
    others = [name for name, version in pinned.items() if version != here]
    name = next(iter([*(one for one in same if one == own), *same, *reversed(others)]), None)
    if name is None:
        line = _line("verify", str(done.checkpoint), "--python", "PATH")
        which = f" {saved}" if saved else ""
        return NextCommand(line, f"shows whether it is sound under the {PACKAGE}{which} that saved it")
    which = "that saved it" if pinned[name] == saved else f"{pinned[name]} instead of {here}"
    return NextCommand(
        _line("verify", str(done.checkpoint), "--env", name),
        f"shows whether it is sound under the {PACKAGE} {which}",
    )


def _version_of_save(done: VerificationResult) -> str | None:
    recorded = done.result.expected.origin.versions.get(PACKAGE)
    if recorded:
        return recorded
    with suppress(OSError, ValueError):
        config = orjson.loads(read_small(done.checkpoint / "config.json"))
        if isinstance(config, dict) and isinstance(config.get("transformers_version"), str):
            return str(config["transformers_version"])
    return None


def _pinned_versions(context: VerificationContext) -> dict[str, str]:
    """The version that each lockfile pins, by its name; not that of COMET, which runs nothing else."""
    if context.workspace is None:
        return {}
    folder, found = context.workspace.lockfiles, dict[str, str]()
    for name in sorted({*lockfile.names(folder)} - {COMET}):
        with suppress(LedgerError):
            pins = (pin for one in lockfile.find(name, folder) for pin in one.pins)
            found.update((name, pin.version) for pin in pins if pin.name == PACKAGE)
    return found


def _find_run(context: VerificationContext, done: VerificationResult) -> NextCommand:
    if context.workspace is None:
        return NextCommand(_line("init"), "starts a record here, so that the run of a checkpoint is known")
    fitting = [run for _, run in sorted(_fitting(context, done), key=lambda one: (one[0], one[1].time))]
    if fitting and (done.run is None or done.run.id != fitting[-1].id):
        best = fitting[-1].id
        line = _line("verify", str(done.checkpoint), "--run", best)
        return NextCommand(
            line, f"shows whether it is a checkpoint of {best}, which its step, times and tokenizer fit"
        )
    if done.run is not None:
        return NextCommand(_line("show", done.run.id), "shows what the run that saved it recorded")
    return NextCommand(
        _line("log", "--all"), "shows which run was going on when it was saved: no recorded one fits"
    )


def _fitting(context: VerificationContext, done: VerificationResult) -> Iterator[tuple[int, Run]]:
    """The runs that nothing about the checkpoint contradicts, each with the number of things that agree."""
    workspace = context.workspace
    if workspace is None:
        return
    before = done.result.expected if done.result.has_evidence else None
    actual = Evidence(origin_of_checkpoint(done.checkpoint, before))
    for run in context.runs:
        report: Report = inspect(LINEAGE, Evidence(origin_of_run(run, workspace.runs / run.id)), actual)
        known = done.run is not None and run.id == done.run.id
        if not report.findings and (len(report.passed) > 1 or known):
            yield len(report.passed) + known, run


def _line(*words: str) -> str:
    return shlex.join(["ledger", *words])
