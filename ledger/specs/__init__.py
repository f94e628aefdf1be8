"""Experiment specs: what to run, as YAML that is checked before anything is run.

Importing this costs pydantic and ruamel.yaml (0.1 to 0.2 s), so only commands that read a spec do.
"""

from ledger.models.families import infer_family
from ledger.specs.forecasting import ForecastingSpec
from ledger.specs.loader import AnySpec, load, load_experiment, names
from ledger.specs.schema import GenerationSpec
from ledger.specs.training import TrainingSpec

__all__ = [
    "AnySpec",
    "ForecastingSpec",
    "GenerationSpec",
    "TrainingSpec",
    "infer_family",
    "load",
    "load_experiment",
    "names",
]
