"""The effective defaults of an environment, asked of a worker in it: no run, no weights, no network."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ledger.display.progress import Progress
from ledger.findings import Json
from runners.host.worker_process import Event, Worker


@dataclass(frozen=True, slots=True)
class ModelClass:
    """A family, with the part of its config that the experiment `name` sets; empty: the class's own."""

    name: str
    family: str
    config: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Defaults:
    """`settings` by class or call; `chosen` are those that were given, by dotted name.

    `unseen` says why one of them could not be had.
    """

    settings: Mapping[str, Json]
    chosen: Mapping[str, Json]
    unseen: Mapping[str, str]
    imported: tuple[str, ...]


def dump(
    interpreter: Path, log: Path, models: Sequence[ModelClass], tell: Callable[[Progress], None]
) -> Defaults:
    """Start a worker in `interpreter` and ask. Raises LedgerError where it cannot be run."""

    def on_event(event: Event) -> None:
        if event["event"] == "progress":
            tell(Progress(event["stage"], event["done"], event["total"]))

    asked = [{"name": one.name, "family": one.family, "config": dict(one.config)} for one in models]
    with Worker(interpreter, log) as worker:
        result = worker.call({"job": "dump_defaults", "models": asked}, on_event)
    return Defaults(result["settings"], result["chosen"], result["unseen"], tuple(result["imported"]))
