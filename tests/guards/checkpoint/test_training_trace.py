"""CKP021 to CKP023: what the training process saw around a save."""

from dataclasses import replace

import pytest

from guards.checkpoint.origin import incomplete_resume, other_evaluation
from guards.checkpoint.tensors import unmoved_weights, unsaved_parameters
from ledger.evidence.snapshot import Snapshot, TrainingTrace
from ledger.findings import Finding, Severity, Skip

ENCODER = tuple(f"model.encoder.layers.{n}.fc1.weight" for n in range(4))
DECODER = tuple(f"model.decoder.layers.{n}.fc1.weight" for n in range(4))
T5 = tuple(name.removeprefix("model.").replace("layers", "block") for name in ENCODER)
ALL = (*ENCODER, *DECODER, "model.shared.weight")
POSITIONS = "model.encoder.embed_positions.weight"


def findings(guard, **parts):
    snapshot = Snapshot(trace=TrainingTrace(**{"step": 20, "since": 10, "trainable": ALL, **parts}))
    return [(one.severity, one.message) for one in guard.inspect(snapshot, Snapshot())]


UNMOVED = {
    "all moved": ({}, None),
    "nothing moved": ({"unmoved": ALL}, "no trained parameter changed between step 10 and step 20"),
    "the encoder did not": ({"unmoved": ENCODER}, "no parameter of model.encoder changed"),
    "an encoder of T5 did not": (
        {"unmoved": T5, "trainable": (*T5, "shared.weight")},
        "no parameter of encoder changed",
    ),
    "both, but not the embedding": (
        {"unmoved": ENCODER + DECODER},
        "no parameter of model.decoder and model.encoder changed between step 10 and step 20, although they",
    ),
    "a few did not": ({"unmoved": ENCODER[:3]}, None),
    "a small part did not": ({"unmoved": ("model.shared.weight",)}, None),
    "frozen on purpose": ({"unmoved": (), "trainable": DECODER}, None),
    "all frozen": ({"unmoved": (), "trainable": ()}, None),
    "after one step of a warm-up": ({"unmoved": ALL, "step": 11}, None),
    "nothing to compare with": ({"unmoved": (), "since": None}, None),
}


@pytest.mark.parametrize("row", UNMOVED)
def test_weights_that_should_move_and_do_not_are_a_warning(row):
    parts, words = UNMOVED[row]
    found = findings(unmoved_weights, **parts)
    assert [severity for severity, _ in found] == ([Severity.WARNING] if words else [])
    assert all(words in message for _, message in found)


UNSAVED = {
    "none": ({}, None, ""),
    "changed": ({POSITIONS: True}, Severity.ERROR, "1 parameter changed in training and is not saved:"),
    "not changed, as in transformers 5.23.0": ({POSITIONS: False}, None, ""),
    "not known": ({POSITIONS: None, "b": None}, None, ""),
    "two changed": ({POSITIONS: True, "b": True}, Severity.ERROR, "2 parameters changed in training and are"),
    "one of two changed": ({POSITIONS: True, "b": False}, Severity.ERROR, f"saved: {POSITIONS}; a reload"),
}


@pytest.mark.parametrize("row", UNSAVED)
def test_trained_parameters_that_are_not_saved_are_named(row):
    not_saved, severity, words = UNSAVED[row]
    found = findings(unsaved_parameters, not_saved=not_saved)
    assert [one for one, _ in found] == ([severity] if severity else [])
    assert all(words in message for _, message in found)


SETTINGS = {
    "the same": ({}, None, ""),
    "other beams": ({"num_beams": 4}, Severity.WARNING, "num_beams (4 -> 1)"),
    "a lower limit was saved": ({"max_length": 600}, Severity.WARNING, "max_length (600 -> 512)"),
    "a higher limit was saved": ({"max_length": 128}, None, ""),
    "limit and beams": ({"max_length": 128, "num_beams": 4}, Severity.WARNING, "num_beams (4 -> 1)"),
    "speed alone": ({"use_cache": False}, None, ""),
}


@pytest.mark.parametrize("row", SETTINGS)
def test_the_arguments_of_the_evaluation_are_compared_with_the_saved_ones(row, good):
    changes, severity, words = SETTINGS[row]
    trace = TrainingTrace(20, evaluated=True, evaluated_with={**good.effective.generation, **changes})
    found = list(other_evaluation.inspect(replace(good, trace=trace), good))
    assert [one.severity for one in found] == ([severity] if severity else [])
    assert all(words in one.message for one in found)


def test_an_evaluation_of_other_weights_is_a_warning(good):
    trace = TrainingTrace(20, evaluated=True, evaluated_otherwise=(POSITIONS,))
    (finding,) = other_evaluation.inspect(replace(good, trace=trace), good)
    assert isinstance(finding, Finding)
    assert finding.severity is Severity.WARNING
    assert finding.message == (
        f"the evaluation at step 20 had other values than the saved ones in 1 parameter: {POSITIONS}"
    )


@pytest.mark.parametrize("missing", [(), ("the state of the optimizer", "the state of the schedule")])
def test_a_resumed_training_without_its_state_is_a_warning(missing):
    found = findings(incomplete_resume, resumed_without=missing)
    message = "resumed without the state of the optimizer, the state of the schedule"
    assert found == ([(Severity.WARNING, message)] if missing else [])


CALM = tuple(2.0 - 0.02 * row for row in range(30))  # to 1.42
RESUMED = {
    "goes on": ({"losses_after": (1.41, 1.44, 1.38)}, False),
    "jumps": ({"losses_after": (3.1, 2.9, 2.8)}, True),
    "jumps, and recovers at once": ({"losses_after": (3.1, 1.5, 1.4)}, False),
    "with a higher learning rate": ({"losses_after": (3.1, 2.9, 2.8), "rates": (1e-4, 1e-3)}, False),
    "at a plateau's lower rate": ({"losses_after": (3.1, 2.9, 2.8), "rates": (1e-4, 1e-5)}, True),
    "a noisy loss": (
        {"losses_before": (1.0, 2.1, 0.9, 2.4) * 6, "losses_after": (3.5, 3.4, 3.6)},
        False,
    ),
    "too early to say": ({"losses_after": (3.1, 2.9)}, False),
    "hardly anything before": ({"losses_before": (1.4,) * 4, "losses_after": (3.1, 2.9, 2.8)}, False),
    "below the resolution": ({"losses_before": (1e-4,) * 30, "losses_after": (3e-3,) * 3}, False),
    "not resumed": ({"losses_after": (3.1, 2.9, 2.8), "resumed_at": None}, False),
}


@pytest.mark.parametrize("row", RESUMED)
def test_a_loss_that_jumps_at_the_resume_is_a_warning(row):
    parts, jumps = RESUMED[row]
    trace = {"resumed_at": 300, "losses_before": CALM, "rates": (1e-4, 1e-4), **parts}
    found = findings(incomplete_resume, **trace)
    message = "the loss jumped from 1.44 to 2.8 when the training was resumed at step 300"
    assert found == ([(Severity.WARNING, message)] if jumps else [])


@pytest.mark.parametrize("guard", [unmoved_weights, unsaved_parameters, other_evaluation, incomplete_resume])
def test_evidence_of_older_versions_has_no_trace_and_is_skipped(guard, good):
    (skip,) = guard.inspect(replace(good, owed=True), good)
    assert isinstance(skip, Skip)
    assert not skip.required
