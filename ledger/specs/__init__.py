"""Experiment specs: what to run, as YAML that is checked before anything runs.

Importing this loads pydantic and ruamel.yaml (0.1 to 0.2 s), so only commands that read a spec do.
"""

from ledger.specs.forecasting import ForecastingSpec
from ledger.specs.generation import GenerationSpec
from ledger.specs.loader import AnySpec, load_experiment, names
from ledger.specs.training import TrainingSpec

__all__ = ["AnySpec", "ForecastingSpec", "GenerationSpec", "TrainingSpec", "load_experiment", "names"]
