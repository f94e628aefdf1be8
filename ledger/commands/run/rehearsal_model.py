"""The tiny model that stands in for an experiment's in a rehearsal, made where it is not there yet."""

from pathlib import Path
from typing import Any

from ledger.commands.reporter import Reporter
from ledger.commands.run.plan import Plan
from ledger.errors import UsageError
from ledger.models.catalog import model_kind
from ledger.specs.generation import Model
from ledger.specs.training import TrainedModel
from runners.host.worker_process import Worker
from runners.rehearsal import Objective, prepare


def rehearsal_model(experiment: str, model: Model | TrainedModel) -> tuple[str, Objective]:
    """Family and training objective of the tiny model that stands in for the spec's.

    A model that was only ever pretrained is stood in for by one that learned only to denoise.
    """
    if model.family is None:
        raise UsageError(
            f"{experiment}: a rehearsal needs the model's family, which {model.name!r} does not tell",
            hint="name it in the spec, or with --set model.family=mbart50",
        )
    return model.family, "denoising" if model_kind(model.name or "").pretrained_only else "translation"


def tiny_model(
    plan: Plan[Any, Any], family: str, objective: Objective, worker: Worker, voice: Reporter
) -> Path:
    """The folder of the tiny model of that family, trained in the plan's environment."""
    with voice.progress("steps") as on_progress:
        model = prepare(
            worker,
            family=family,
            objective=objective,
            environment=plan.environment.digest,
            cache=plan.workspace.models,
            on_progress=on_progress,
        )
    made = f"trained just now in {model.seconds:.0f} s" if model.trained_now else "trained earlier"
    voice.say(f"rehearsing with a tiny {family} model, {made}, on this machine's CPU in float32")
    return model.folder
