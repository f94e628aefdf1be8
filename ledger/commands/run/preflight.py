"""Before anything is paid for: collect what preflight guards read, inspect, and decide whether to go on."""

from collections.abc import Collection
from dataclasses import replace

from guards import registry
from guards.environment import GUARDS as PINS
from guards.guard import inspect
from ledger.environments.environment import Environment
from ledger.evidence import Evidence
from ledger.evidence.environment import Pins
from ledger.evidence.identity import History, RunIdentity
from ledger.evidence.preflight import (
    DiskNeed,
    GitExpectation,
    GitState,
    LanguageCodes,
    ModelUse,
    TokenizerProbe,
)
from ledger.findings import Report, Severity
from ledger.git import status
from ledger.models.catalog import model_kind
from ledger.specs.experiment import Codes
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
    git = status.read(workspace.root, ignore=[workspace.journal])
    space, kind = free_space(workspace.private), model_kind(model.model)
    expected = Evidence(history, need, GitExpectation(clean=clean), model)
    actual = Evidence(identity, space, kind, environment.installed)
    guards = [g for g in (*registry.PREFLIGHT, *PINS) if g.CODE not in (LANGUAGES, MEMORY)]
    return inspect(guards, expected.including(Pins, environment.pins), actual.including(GitState, git))


def inspect_languages(codes: Codes, probe: TokenizerProbe) -> Report:
    """The language codes, against what the tokenizer made of them."""
    guards = [guard for guard in registry.PREFLIGHT if guard.CODE == LANGUAGES]
    expected = Evidence(LanguageCodes(codes.source, codes.target))
    return inspect(guards, expected, Evidence(probe))


def allow(report: Report, codes: Collection[str]) -> Report:
    """The report with the refusals that this one run may pass marked as such."""
    why = "allowed for this run"
    findings = tuple(
        replace(f, accepted=why) if f.code in codes and f.severity >= Severity.ERROR else f
        for f in report.findings
    )
    return replace(report, findings=findings)
