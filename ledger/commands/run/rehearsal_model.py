"""The tiny model that a rehearsal uses instead of the experiment's, trained if it is not cached."""

from pathlib import Path
from typing import Any

from ledger.commands.reporter import Reporter
from ledger.commands.run.plan import Plan
from ledger.commands.run.rehearsal_languages import own_text, to_learn
from ledger.errors import UsageError
from ledger.models.catalog import model_kind
from ledger.specs.generation import Model
from ledger.specs.training import TrainedModel
from runners.host.worker_process import Worker
from runners.rehearsal import Objective, prepare


def rehearsal_model(experiment: str, model: Model | TrainedModel) -> tuple[str, Objective]:
    """Family and training objective of the tiny model that replaces the spec's.

    A model that is only pretrained is replaced by one that was only trained to denoise.
    """
    if model.family is None:
        raise UsageError(
            f"{experiment}: a rehearsal needs the model's family, which {model.name!r} does not show",
            hint="name it in the spec, or with --set model.family=mbart50",
        )
    return model.family, "denoising" if model_kind(model.name or "").pretrained_only else "translation"


def tiny_model(
    plan: Plan[Any, Any], family: str, objective: Objective, worker: Worker, reporter: Reporter
) -> Path:
    """The folder of the tiny model of that family, trained in the plan's environment on the project's text,
    or on the experiment's own."""
    text = own_text(plan.spec, plan.workspace)
    with reporter.progress("steps") as on_progress:
        model = prepare(
            worker,
            family=family,
            objective=objective,
            environment=plan.environment.digest,
            cache=plan.workspace.models,
            on_progress=on_progress,
            own=to_learn(plan.spec, text) if text else None,
        )
    origin = f"trained just now in {model.seconds:.0f} s" if model.trained_now else "trained earlier"
    reporter.say(f"rehearsing with a tiny {family} model, {origin}, on this machine's CPU in float32")
    return model.folder
