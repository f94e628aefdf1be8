"""Preflight: the evidence and guards that decide whether a run may start."""

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
LEAKS = "PRE007"


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
    """The part of preflight that is common to all tasks.

    Not included are the language codes, which need the experiment's own tokenizer, and the device's memory
    and leaked lines, which only a training is checked for. `need` is what the run will write; `clean`:
    uncommitted changes are an error.
    """
    git = status.read(workspace.root, ignore=[workspace.journal])
    space, kind = free_space(workspace.private), model_kind(model.model)
    expected = Evidence(history, need, GitExpectation(clean=clean), model)
    actual = Evidence(identity, space, kind, environment.installed)
    guards = [g for g in (*registry.PREFLIGHT, *PINS) if g.CODE not in (LANGUAGES, MEMORY, LEAKS)]
    return inspect(guards, expected.including(Pins, environment.pins), actual.including(GitState, git))


def inspect_languages(codes: Codes, probe: TokenizerProbe) -> Report:
    """The language codes, compared with the tokenizer's."""
    guards = [guard for guard in registry.PREFLIGHT if guard.CODE == LANGUAGES]
    expected = Evidence(LanguageCodes(codes.source, codes.target))
    return inspect(guards, expected, Evidence(probe))


def allow(report: Report, codes: Collection[str]) -> Report:
    """The report, with the errors of these codes marked as accepted for this run."""
    reason = "allowed for this run"
    findings = tuple(
        replace(f, accepted=reason) if f.code in codes and f.severity >= Severity.ERROR else f
        for f in report.findings
    )
    return replace(report, findings=findings)
