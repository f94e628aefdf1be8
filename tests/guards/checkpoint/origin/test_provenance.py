"""CKP012 to CKP015: the checkpoint beside its run."""

from dataclasses import replace

import pytest

from guards.checkpoint.origin import foreign_run, foreign_tokenizer, inconsistent_step, step_beyond_run
from ledger.evidence.provenance import Origin
from ledger.findings import Severity, Skip

RUN = Origin(
    run="exp10-3fa91c",
    last_step=784,
    started="2026-11-20T06:15:30.123Z",
    tokenizer_digest="sha256:" + "a" * 64,
)
OURS = Origin(
    run="exp10-3fa91c",
    step=784,
    folder_step=784,
    state_step=784,
    written="2026-11-20T09:00:00.000Z",
    tokenizer_digest="sha256:" + "a" * 64,
)


@pytest.mark.parametrize("guard", [step_beyond_run, foreign_run, inconsistent_step, foreign_tokenizer])
def test_a_checkpoint_of_its_run_passes(guard):
    assert list(guard.inspect(RUN, OURS)) == []


def test_checkpoint_6000_of_a_run_that_ended_at_step_784():
    theirs = Origin(folder_step=6000, state_step=6000)
    (finding,) = step_beyond_run.inspect(RUN, theirs)
    assert finding.severity is Severity.ERROR
    assert finding.message == (
        "step 6,000 (in the folder's name and trainer_state.json), but exp10-3fa91c ended at step 784"
    )
    assert (finding.measured, finding.threshold) == (6000, 784)


@pytest.mark.parametrize("where", ["folder_step", "state_step", "step"])
def test_any_place_that_tells_a_step_beyond_the_last_one(where):
    (finding,) = step_beyond_run.inspect(RUN, Origin(**{where: 785}))
    assert finding.severity is Severity.ERROR
    assert list(step_beyond_run.inspect(RUN, Origin(**{where: 784}))) == []


@pytest.mark.parametrize(
    ("expected", "actual"), [(replace(RUN, last_step=None), OURS), (RUN, Origin())], ids=["no run", "no step"]
)
def test_without_both_steps_nothing_is_said(expected, actual):
    (skip,) = step_beyond_run.inspect(expected, actual)
    assert isinstance(skip, Skip)


@pytest.mark.parametrize(
    ("actual", "reported"),
    [
        (replace(OURS, run="exp9-000001"), ["the checkpoint belongs to exp9-000001, not to exp10-3fa91c"]),
        (
            replace(OURS, written="2026-11-19T09:00:00.000Z"),
            [
                "written at 2026-11-19T09:00:00.000Z, "
                "before exp10-3fa91c started at 2026-11-20T06:15:30.123Z",
            ],
        ),
        # Two clocks: half a minute is not older.
        (replace(OURS, written="2026-11-20T06:15:00.000Z"), []),
        (replace(OURS, run=None, written="2026-11-20T09:00:00"), []),
        (replace(OURS, written="last week"), []),
    ],
)
def test_files_of_another_run_or_time(actual, reported):
    found = list(foreign_run.inspect(RUN, actual))
    assert [finding.message for finding in found] == reported
    assert all(finding.severity is Severity.ERROR for finding in found)


@pytest.mark.parametrize("actual", [Origin(), Origin(written="9999-99-99")])
def test_an_origin_that_nobody_knows_is_a_skip(actual):
    (skip,) = foreign_run.inspect(RUN, actual)
    assert isinstance(skip, Skip)


@pytest.mark.parametrize(
    ("actual", "reported"),
    [
        (
            Origin(folder_step=6000, state_step=784),
            "the folder's name says step 6,000, trainer_state.json says step 784",
        ),
        (
            Origin(state_step=784, step=500),
            "trainer_state.json says step 784, the stored evidence says step 500",
        ),
        (
            Origin(folder_step=784, unreadable="it is not JSON"),
            "trainer_state.json cannot be read: it is not JSON",
        ),
    ],
)
def test_a_checkpoint_that_contradicts_itself_needs_no_run(actual, reported):
    (finding,) = inconsistent_step.inspect(Origin(), actual)
    assert (finding.severity, finding.message) == (Severity.ERROR, reported)


def test_one_place_alone_contradicts_nothing():
    (skip,) = inconsistent_step.inspect(RUN, Origin(folder_step=784))
    assert isinstance(skip, Skip)


def test_another_run_s_vocabulary():
    (finding,) = foreign_tokenizer.inspect(RUN, replace(OURS, tokenizer_digest="sha256:" + "b" * 64))
    assert finding.severity is Severity.ERROR
    assert finding.message == (
        "the vocabulary (sha256:bbbbbbbbbbbb) is not that of exp10-3fa91c (sha256:aaaaaaaaaaaa)"
    )


@pytest.mark.parametrize(
    ("expected", "actual"),
    [(replace(RUN, tokenizer_digest=None), OURS), (RUN, replace(OURS, tokenizer_digest=None))],
)
def test_a_vocabulary_that_is_not_known_is_a_skip(expected, actual):
    (skip,) = foreign_tokenizer.inspect(expected, actual)
    assert isinstance(skip, Skip)
