"""`ledger run EXP --redo-flagged`: the flagged lines of a finished run, generated again with other settings.

Neither the choice of the lines nor that between old and new looks at the reference: the scores would then
promise more than the settings can do on other text.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from guards import registry
from guards.text import length_limit
from guards.text.measures.chunk import Chunk
from guards.text.scan import scan_lines
from ledger.commands.recorded_texts import read_output
from ledger.commands.run.generation_inputs import GenerationInputs, Redo, read_generation_inputs
from ledger.commands.run.limits import max_rates
from ledger.commands.run.plan import RunRequest
from ledger.errors import LedgerError, UsageError
from ledger.evidence import Unobserved
from ledger.findings import Json
from ledger.journal.run import Run
from ledger.journal.runs import load_runs
from ledger.specs import GenerationSpec
from ledger.utils.hashing import digest_json
from ledger.utils.textfiles import read_lines, write_lines_atomically
from ledger.workspace import Workspace
from runners.host.generation import GenerationResult

if TYPE_CHECKING:
    from ledger.commands.run.task import ActiveRun

PARENT = "parent"
REACHED = "reached-limits.json"
Flags = Mapping[str, Sequence[int]]


def redo_inputs(
    spec: GenerationSpec, workspace: Workspace, request: RunRequest
) -> tuple[GenerationSpec, GenerationInputs]:
    """The spec with its fallback settings, and the inputs with the flagged lines of its newest run.

    Raises UsageError without fallback settings, for an unknown code, or where no finished run has this spec
    and data; LedgerError where its output is not available, or no line is flagged.
    """
    again, codes = spec.with_fallback(), request.redo or ()
    if again is None:
        example = "fallback: {num_beams: 5, no_repeat_ngram_size: 3}"
        raise UsageError(
            f"{spec.name} has no fallback settings", hint=f"add to the spec, for example: {example}"
        )
    if unknown := sorted({*codes} - {*registry.rated()}):
        known = ", ".join(registry.rated())
        raise UsageError(f"--flagged-by {unknown[0]}: no text guard has that code", hint=f"they are {known}")
    max_rates(spec, workspace)
    plain = read_generation_inputs(spec, workspace, rehearsal=request.rehearse)
    parent = _parent(spec, workspace, request, plain)
    output = read_output(workspace, parent)
    if isinstance(output, Unobserved):
        raise LedgerError(output.reason, hint=f"repeat the run first: ledger run {spec.name} --again")
    unfinished, truncated = _reached(workspace.runs / parent.id)
    found = _flags(spec, plain.source, output, unfinished)
    chosen = {code: lines for code, lines in found.items() if lines and (not codes or code in codes)}
    if not chosen:
        by = f" by {', '.join(codes)}" if codes else ""
        raise LedgerError(f"no line of {parent.id} is flagged{by}", hint="there is nothing to generate again")
    redo = Redo(parent.id, output, chosen, unfinished, truncated)
    facts = {**(parent.result.get("output") or {}), "run": parent.id, "codes": " ".join(chosen)}
    digest = digest_json({"of": plain.digest, "by": again.digest, "output": facts, "lines": redo.lines})
    return again, replace(plain, data={**plain.data, PARENT: facts}, digest=digest, redo=redo)


def merge(
    redo: Redo, result: GenerationResult, active: "ActiveRun[GenerationSpec, GenerationInputs]"
) -> tuple[GenerationResult, dict[str, Json]]:
    """Write the parent's output with each new line that no text guard flags; return what was won.

    The file is named for the run, so that no other output is overwritten.
    """
    spec, recorder, source = active.plan.spec, active.recorder, active.plan.inputs.source
    new = dict(zip(redo.lines, read_lines(result.output), strict=True))
    unfinished, truncated = (
        frozenset(redo.lines[n] for n in found) for found in (result.unfinished, result.truncated)
    )
    lines = [new.get(index, line) for index, line in enumerate(redo.output)]
    flags = _flags(spec, source, lines, unfinished)
    won = new.keys() - {index for found in flags.values() for index in found}
    lines = [new[index] if index in won else line for index, line in enumerate(redo.output)]
    named = active.plan.workspace.root / spec.output
    output = named.with_name(f"{named.stem}.{recorder.run}{named.suffix}")
    if active.plan.request.rehearse:
        output = recorder.folder / f"output.{spec.languages.target}"
    write_lines_atomically(output, lines)
    merged = replace(
        result,
        output=output,
        lines=len(lines),
        failed=lines.count(spec.failure_marker),
        unfinished=tuple(sorted(redo.unfinished - won)),
        truncated=tuple(sorted((redo.truncated - won) | (truncated & won))),
    )
    return merged, {"redo": _won(redo, won, active.plan.runs)}


def write_reached(folder: Path, result: GenerationResult) -> None:
    """Store which lines reached a limit, for a later redo."""
    content = {"unfinished": result.unfinished, "truncated": result.truncated}
    write_lines_atomically(folder / REACHED, [json.dumps(content)])


def _parent(spec: GenerationSpec, workspace: Workspace, request: RunRequest, plain: GenerationInputs) -> Run:
    for run in reversed(load_runs(workspace)):
        known = run.experiment == spec.name and run.mode == request.mode and run.status == "finished"
        if known and run.inputs == plain.digest:
            return run
    raise UsageError(
        f"no finished run of {spec.name} has this spec and data",
        hint=f"run it first: ledger run {spec.name}{' --rehearse' if request.rehearse else ''}",
    )


def _reached(folder: Path) -> tuple[frozenset[int], frozenset[int]]:
    with suppress(OSError, ValueError, KeyError, TypeError):
        content = json.loads((folder / REACHED).read_bytes())
        return frozenset(content["unfinished"]), frozenset(content["truncated"])
    return frozenset(), frozenset()


def _flags(
    spec: GenerationSpec, source: Sequence[str], output: Sequence[str], unfinished: frozenset[int]
) -> Flags:
    """The flagged lines by code. A truncated source is not among them: no setting of a fallback helps."""
    found = scan_lines(Chunk(output, source), language=spec.languages.target, markers=[spec.failure_marker])
    return {**found.lines, length_limit.CODE: sorted(unfinished)}


def _won(redo: Redo, won: frozenset[int] | set[int], runs: Sequence[Run]) -> dict[str, Json]:
    """For the record: the flagged lines before and after by code, and the parent's scores."""
    parent = next(run for run in runs if run.id == redo.parent)
    return {
        "parent": redo.parent,
        "lines": len(redo.lines),
        "won": len(won),
        "before": {code: len(found) for code, found in redo.flagged.items()},
        "after": {code: len({*found} - won) for code, found in redo.flagged.items()},
        "metrics_before": {name: metric.value for name, metric in parent.metrics.items()},
    }
