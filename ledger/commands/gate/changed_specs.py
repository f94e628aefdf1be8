"""The resolved specs of both sides: which of them run something else than in the base."""

from collections.abc import Iterator

from guards import registry
from ledger.commands.gate.context import SPECS, GateContext
from ledger.errors import LedgerError
from ledger.evidence.gate import ChangedSpec
from ledger.specs.experiment import ExperimentSpec
from ledger.specs.loader import load_experiment, names
from ledger.workspace import Workspace


def changed_specs(context: GateContext) -> Iterator[ChangedSpec]:
    """The specs of the work tree that are new, have another digest, or cannot be read."""
    for name in names(context.workspace.experiments):
        before, now = read_spec(name, context.before), read_spec(name, context.workspace)
        if isinstance(now, LedgerError):
            yield ChangedSpec(name, "", is_new=False, problem=now.message)
        elif now and (not isinstance(before, ExperimentSpec) or before.digest != now.digest):
            yield ChangedSpec(name, now.digest, is_new=before is None, planned=now.status == "planned")


def read_spec(name: str, workspace: Workspace) -> ExperimentSpec | LedgerError | None:
    """The spec, None if there is none, or the error if it cannot be read."""
    if not (workspace.experiments / f"{name}{SPECS}").is_file():
        return None
    try:
        return load_experiment(name, workspace.experiments, rate_codes=registry.rated())
    except LedgerError as error:
        return error
