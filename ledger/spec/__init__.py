"""Experiment specs: what to run, as YAML that is checked before anything is run.

Importing this costs pydantic and ruamel.yaml (0.1 to 0.2 s), so only commands that read a spec do.
"""

from ledger.spec.family import infer_family
from ledger.spec.forecasting import ForecastingSpec
from ledger.spec.load import AnySpec, load, load_experiment, names
from ledger.spec.model import Spec
from ledger.spec.training import TrainingSpec

__all__ = [
    "AnySpec",
    "ForecastingSpec",
    "Spec",
    "TrainingSpec",
    "infer_family",
    "load",
    "load_experiment",
    "names",
]
