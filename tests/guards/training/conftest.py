"""Curves of healthy trainings from a seed: a falling, noisy loss and varying norms."""

import json
import math
import random
from dataclasses import replace

import pytest

from guards.guard import inspect as inspect_all
from guards.training import SERIES
from ledger.evidence import Evidence
from ledger.evidence.training import TrainingLimits, TrainingPoint, TrainingSeries


@pytest.fixture(scope="session")
def healthy():
    """A function that gives points: loss 10 to 1 with `noise` (a share), norms about 0.6, a steady scale."""

    def make(count=200, *, seed=0, noise=0.2, scale=1.0):
        dice = random.Random(seed)
        return [
            TrainingPoint(
                step=10 * (index + 1),
                loss=scale * (1 + 9 * math.exp(-4 * index / count)) * (1 + dice.uniform(-noise, noise)),
                grad_norm=0.6 * (1 + dice.uniform(-0.5, 0.5)),
                learning_rate=3e-4,
                amp_scale=65536.0,
            )
            for index in range(count)
        ]

    return make


@pytest.fixture(scope="session")
def change():
    """A function that gives the points with fields of the one at `index` set."""

    def make(points, index, **fields):
        return [replace(point, **fields) if i == index else point for i, point in enumerate(points)]

    return make


@pytest.fixture(scope="session")
def look():
    """A function that runs all guards of a series and returns their findings by code."""

    def run(points, *, limits=None, **fields):
        expected = Evidence(limits or TrainingLimits())
        report = inspect_all(SERIES, expected, Evidence(TrainingSeries(tuple(points), **fields)))
        json.dumps(report.to_json(), allow_nan=False)  # what is found can be recorded
        return {finding.code: finding for finding in report.findings}

    return run
