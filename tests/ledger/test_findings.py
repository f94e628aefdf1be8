"""Where a finding shows: the steps of a training in its evidence."""

import pytest

from ledger.findings import Finding, Severity


@pytest.mark.parametrize(
    ("code", "evidence", "steps"),
    [
        ("TRN004", {"steps": [120, 340], "step": 340}, (120, 340)),
        ("TRN001", {"first_step": 60, "last_step": 80}, (60,)),
        ("TRN012", {"best_step": 20, "last_step": 90}, (90,)),
        ("CKP005", {"step": 0}, (0,)),
        ("CKP011", {"steps": {"config.json": 3}, "step": 100}, (100,)),
        ("TRN013", {"setting": "learning_rate"}, ()),
        ("TRN004", {"step": None, "steps": ["12", 1.5]}, ()),
        ("TXT001", {"step": 3}, ()),
    ],
)
def test_the_steps_of_a_finding(code, evidence, steps):
    assert Finding(code, Severity.WARNING, "it rose", evidence=evidence).steps == steps
