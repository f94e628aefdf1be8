"""The `dump_defaults` job: the defaults of models, generation, tokenizers and trainings in this environment.

Defaults are read from instances, after every layer has filled in its own: a config's `__init__` may override
its arguments, which no signature shows. Models are built on the meta device: without weights or memory.
"""

import inspect
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Any

from runners.worker.error_messages import explain
from runners.worker.imported_packages import imported_distributions
from runners.worker.messages import Defaults, DumpDefaults, ModelClass
from runners.worker.models.families import FAMILIES, Family
from runners.worker.models.resolved_config import describe_model, plain, resolve_generation
from runners.worker.protocol import Events

# Where files go does not change what is computed.
NOT_SETTINGS = frozenset({"output_dir", "logging_dir", "run_name", "hub_token", "push_to_hub_token"})
NOT_DEFAULTS = frozenset({"self", "args", "kwargs"})

Json = dict[str, Any]


def dump_defaults(job: DumpDefaults, events: Events) -> Defaults:
    """The effective defaults of every class that the job's models use, each a flat table."""
    settings: Json = {}
    unseen: dict[str, str] = {}
    wanted = {**_common(), **{label: read for one in job.models for label, read in _of_model(one).items()}}
    for done, (label, read) in enumerate(wanted.items()):
        events.progress("reading defaults", done, len(wanted))
        try:
            settings[label] = plain(read())
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            unseen[label] = str(explain(error).message)
    chosen = {name: value for one in job.models for name, value in _chosen(one).items()}
    return Defaults(settings, chosen, unseen, imported_distributions())


def training_here(recorded: Mapping[str, Any]) -> Json:
    """Recorded training arguments in this version's terms: without those it dropped, with those it added."""
    from transformers import Seq2SeqTrainingArguments

    known = {field.name: field for field in fields(Seq2SeqTrainingArguments) if field.init}
    added = {name: _declared(field) for name, field in known.items() if name not in recorded}
    kept = {name: value for name, value in recorded.items() if name in known}
    here = plain({**added, **kept})
    return {name: value for name, value in here.items() if value is not None and name not in NOT_SETTINGS}


def _common() -> dict[str, Callable[[], Json]]:
    """What every model uses: the arguments of training and generation, and how files are written."""
    import transformers

    model = transformers.PreTrainedModel
    return {
        "Seq2SeqTrainingArguments": _training,
        "GenerationConfig": lambda: _set_values(transformers.GenerationConfig().to_dict()),
        "save_pretrained": lambda: _parameters(model.save_pretrained),
        "from_pretrained": lambda: _parameters(model.from_pretrained),
    }


def _of_model(wanted: ModelClass) -> dict[str, Callable[[], Json]]:
    """Config, generation and tokenizer of one family, with the config that a spec sets."""
    family, config = FAMILIES[wanted.family], wanted.config
    return {
        _label(wanted, "config"): lambda: _model(family, config)["model"],
        _label(wanted, "generate"): lambda: _model(family, config)["generation"],
        family.tokenizer_class: lambda: _tokenizer(family),
    }


def _label(wanted: ModelClass, part: str) -> str:
    """`MarianMTModel.config`, followed by the experiment's name where that sets a config."""
    own = f" ({wanted.name})" if wanted.config else ""
    return f"{FAMILIES[wanted.family].model_class}.{part}{own}"


def _chosen(wanted: ModelClass) -> Json:
    return {f"{_label(wanted, 'config')}.{key}": value for key, value in wanted.config.items()}


def _training() -> Json:
    """The resolved arguments. `report_to` as declared: resolved, it lists what happens to be installed."""
    from transformers import Seq2SeqTrainingArguments

    with tempfile.TemporaryDirectory() as folder:
        resolved = Seq2SeqTrainingArguments(output_dir=folder, use_cpu=True).to_dict()
    declared = {field.name: _declared(field) for field in fields(Seq2SeqTrainingArguments)}
    values = {**resolved, "report_to": declared.get("report_to") or "all"}
    return {name: value for name, value in _set_values(values).items() if name not in NOT_SETTINGS}


def _model(family: Family, config: Mapping[str, Any]) -> Json:
    import torch
    import transformers

    model_class = getattr(transformers, family.model_class)
    with torch.device("meta"):
        model = model_class(model_class.config_class(**config))
    return describe_model(model, resolve_generation(model, {}))


def _tokenizer(family: Family) -> Json:
    """The parameters of the class that loads it: the fast one where there is one."""
    import transformers

    name = family.tokenizer_class
    return _parameters(getattr(transformers, f"{name}Fast", None) or getattr(transformers, name))


def _parameters(call: Callable[..., Any]) -> Json:
    """The defaults in a signature, by name; those that are functions have no value to compare."""
    found = {
        name: "has to be given" if parameter.default is inspect.Parameter.empty else parameter.default
        for name, parameter in inspect.signature(call).parameters.items()
        if name not in NOT_DEFAULTS and "VAR" not in parameter.kind.name
    }
    return {name: default for name, default in found.items() if not callable(default)}


def _declared(field: Any) -> Any:
    if field.default is not MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not MISSING else None


def _set_values(values: Mapping[str, Any]) -> Json:
    return {key: value for key, value in values.items() if value is not None and not key.startswith("_")}
