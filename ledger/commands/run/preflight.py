"""Before anything is paid for: collect what preflight guards read, inspect, and decide whether to go on."""

from collections.abc import Collection
from dataclasses import replace

from guards import registry
from guards.environment import GUARDS as PINS
from guards.guard import inspect
from ledger.environments.environment import Environment
from ledger.evidence import (
    DiskNeed,
    Evidence,
    GitExpectation,
    History,
    LanguageCodes,
    ModelUse,
    RunIdentity,
    TokenizerProbe,
)
from ledger.findings import Report, Severity
from ledger.git import status
from ledger.models.catalog import model_kind
from ledger.specs.schema import Codes
from ledger.workspace import Workspace
from runners.resources.disk import free_space

LANGUAGES = "PRE002"
MEMORY = "PRE006"


def inspect_surroundings(
    workspace: Workspace,
    *,
    clean: bool,
    identity: RunIdentity,
    history: History,
    environment: Environment,
    need: DiskNeed,
    model: ModelUse,
) -> Report:
    """All of preflight that a run of any task has.

    The language codes are left out, which only the experiment's own tokenizer can judge, and the device's
    memory, which is a training's matter.
    `need` is what the run will write; `clean`: it refuses to run with uncommitted changes.
    """
    expected = Evidence(
        identity=history,
        disk=need,
        git=GitExpectation(clean=clean),
        model=model,
        packages=environment.pins,
    )
    actual = Evidence(
        identity=identity,
        disk=free_space(workspace.private),
        git=status.read(workspace.root, ignore=[workspace.journal]),
        model=model_kind(model.model),
        packages=environment.installed,
    )
    guards = [g for g in (*registry.PREFLIGHT, *PINS) if g.CODE not in (LANGUAGES, MEMORY)]
    return inspect(guards, expected, actual)


def inspect_languages(codes: Codes, probe: TokenizerProbe) -> Report:
    """The language codes, against what the tokenizer made of them."""
    guards = [guard for guard in registry.PREFLIGHT if guard.CODE == LANGUAGES]
    expected = Evidence(languages=LanguageCodes(codes.source, codes.target))
    return inspect(guards, expected, Evidence(languages=probe))


def allow(report: Report, codes: Collection[str]) -> Report:
    """The report with the refusals that this one run may pass marked as such."""
    why = "allowed for this run"
    findings = tuple(
        replace(f, accepted=why) if f.code in codes and f.severity >= Severity.ERROR else f
        for f in report.findings
    )
    return replace(report, findings=findings)
