"""The effective defaults of an environment, read by a worker in it: no run, no weights, no network."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ledger.display.progress import Progress
from ledger.findings import Json
from runners.host.worker_process import Event, Worker


@dataclass(frozen=True, slots=True)
class ModelClass:
    """A family, and the config values that the experiment `name` sets; empty: the defaults of the class."""

    name: str
    family: str
    config: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Defaults:
    """`settings` by class or call; `chosen` are those that the experiment sets, by dotted name.

    `unseen` has the reasons why settings could not be read.
    """

    settings: Mapping[str, Json]
    chosen: Mapping[str, Json]
    unseen: Mapping[str, str]
    imported: tuple[str, ...]


def dump(
    interpreter: Path, log: Path, models: Sequence[ModelClass], on_progress: Callable[[Progress], None]
) -> Defaults:
    """Read the defaults in a worker of `interpreter`. Raises LedgerError where it cannot be run."""

    def on_event(event: Event) -> None:
        if event["event"] == "progress":
            on_progress(Progress(event["stage"], event["done"], event["total"]))

    classes = [{"name": one.name, "family": one.family, "config": dict(one.config)} for one in models]
    with Worker(interpreter, log) as worker:
        result = worker.call({"job": "dump_defaults", "models": classes}, on_event)
    return Defaults(result["settings"], result["chosen"], result["unseen"], tuple(result["imported"]))
