"""Starts the worker where ledger is not installed: `python -P bootstrap.py`.

Finds the `runners` package by its place next to this file and leaves sys.path as the experiment's
environment has it.
"""

import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

DEFAULTS = {
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",  # what deterministic cuBLAS asks for
    "DISABLE_SAFETENSORS_CONVERSION": "1",  # no background thread that converts a hub model elsewhere
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    # Idle threads sleep. Spinning, as is OpenMP's way, two processes on two cores slowed each other 18-fold.
    "OMP_WAIT_POLICY": "PASSIVE",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
}
# Where the tool is installed as well, so is this, by way of MLflow. transformers imports it for an option of
# assisted generation, which the worker does not use. It looks for the module first; torchmetrics, which needs
# scipy, trusts the metadata, so that one must stay.
NOT_IMPORTED = ("sklearn",)


def load_runners() -> None:
    """Make `import runners` find the package that holds this file."""
    folder = Path(__file__).resolve().parents[1]
    spec = spec_from_file_location(
        "runners", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    package = module_from_spec(spec)
    sys.modules["runners"] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    for name in NOT_IMPORTED:
        sys.modules[name] = None  # type: ignore[assignment]  # to importlib, this means not installed
    load_runners()
    from runners.worker.__main__ import main

    main()
