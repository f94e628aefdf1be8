"""What holds for all guards on a reloaded model: no alarm on equal evidence, no silence on a change."""

from dataclasses import fields, replace

from hypothesis import given
from hypothesis import strategies as st

from guards.checkpoint import GUARDS, RELOADED
from guards.checkpoint.tensors import changed_tensors
from guards.guard import inspect
from ledger.evidence import Evidence, Unobserved
from ledger.evidence.checkpoint_files import CheckpointFiles, SoundFiles
from ledger.evidence.metrics import Metric
from ledger.evidence.provenance import Measured, Origin, ScoreClaims
from ledger.evidence.snapshot import Effective, Forward, Sample, Snapshot, TokenizerFacts, Weights
from ledger.findings import Severity, Verdict

names = st.text("abc.", min_size=1, max_size=6)
digests = st.text("0123456789abcdef", min_size=4, max_size=4).map("sha256:{}".format)
dtypes = st.sampled_from(["float32", "bfloat16", "float16", "int64"])
json = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(0, 9) | names
finite = st.floats(-1e3, 1e3)


@st.composite
def weights(draw):
    digest_of = draw(st.dictionaries(names, digests, min_size=1, max_size=6))
    groups = {}
    for name, digest in digest_of.items():
        groups.setdefault(digest, []).append(name)
    return Weights(
        digests=digest_of,
        dtypes={name: draw(dtypes) for name in digest_of},
        shapes={name: draw(st.tuples(st.integers(1, 9))) for name in digest_of},
        ties=tuple(tuple(group) for group in groups.values() if len(group) > 1),
    )


@st.composite
def samples(draw):
    pairs = draw(st.lists(st.tuples(st.text(max_size=4), st.text(max_size=4)), max_size=5))
    return Sample(
        source=tuple(source for source, _ in pairs),
        output=tuple(output for _, output in pairs),
        settings=draw(st.dictionaries(names, json, max_size=3)),
        bleu=draw(st.none() | st.floats(0, 100).map(lambda value: Metric(value, "tok:13a"))),
    )


ids = st.dictionaries(names, st.integers(0, 9), max_size=4)
snapshots = st.builds(
    Snapshot,
    weights=st.none() | weights(),
    forward=st.none() | st.builds(Forward, finite | st.just(float("nan")), digests, dtypes, names),
    sample=st.none() | samples(),
    tokenizer=st.none()
    | st.builds(
        TokenizerFacts,
        name=names,
        size=st.integers(1, 9),
        ids=st.dictionaries(names, st.lists(st.integers(0, 9)).map(tuple), max_size=3),
        special=st.dictionaries(names, st.none() | st.integers(0, 9), max_size=3),
        codes=ids,
    ),
    effective=st.none()
    | st.builds(
        Effective,
        model=st.dictionaries(names, json, max_size=3),
        generation=st.dictionaries(st.sampled_from(["num_beams", "top_k", "use_cache"]), json),
    ),
    origin=st.builds(
        Origin, environment=st.none() | digests, versions=st.dictionaries(names, names, max_size=2)
    ),
)


@given(snapshots)
def test_equal_snapshots_never_yield_a_finding(snapshot):
    report = inspect(RELOADED, Evidence(snapshot), Evidence(snapshot))
    assert report.findings == ()
    assert len(report.passed) + len({skip.code for skip in report.skips}) == len(RELOADED)


@given(weights(), st.data())
def test_any_single_digest_that_changes_is_reported(saved, data):
    name = data.draw(st.sampled_from(sorted(saved.digests)))
    changed = replace(saved, digests={**saved.digests, name: "sha256:other"})
    (finding,) = [
        finding
        for finding in changed_tensors.inspect(Snapshot(weights=saved), Snapshot(weights=changed))
        if finding.severity is Severity.ERROR
    ]
    assert name in finding.evidence["changed"]


@given(weights(), st.data())
def test_any_single_tensor_that_is_lost_is_reported(saved, data):
    name = data.draw(st.sampled_from(sorted(saved.digests)))
    left = {key: digest for key, digest in saved.digests.items() if key != name}
    found = list(
        changed_tensors.inspect(Snapshot(weights=saved), Snapshot(weights=replace(saved, digests=left)))
    )
    still_there = saved.digests[name] in left.values()
    assert bool(found) is not still_there


@given(snapshots, snapshots)
def test_any_two_snapshots_can_be_compared(expected, actual):
    report = inspect(RELOADED, Evidence(expected), Evidence(actual))
    assert report.to_json()["verdict"] in {"pass", "fail", "inconclusive"}


def test_the_good_checkpoint_passes_all(good):
    lineage = Origin(run="exp10-3fa91c", last_step=784, folder_step=784, state_step=784)
    expected = Evidence(SoundFiles(), good, lineage, ScoreClaims())
    actual = Evidence(
        CheckpointFiles("checkpoint-784", "safetensors", 9),
        good,
        lineage,
        Measured(),
    )
    report = inspect(GUARDS, expected, actual)
    assert report.findings == ()
    assert report.verdict is Verdict.PASS
    assert {skip.code for skip in report.skips} == {
        "CKP015",
        "CKP016",
        "CKP017",
        "CKP019",
        "CKP021",
        "CKP022",
        "CKP023",
        "CKP024",
        "CKP025",
    }


def test_without_evidence_of_the_save_the_rest_is_skipped_and_spoils_nothing(good):
    report = inspect(RELOADED, Evidence(Snapshot()), Evidence(good))
    assert report.verdict is Verdict.PASS
    assert report.passed == ("CKP003", "CKP004")
    assert {skip.code for skip in report.skips} == {f"CKP{n:03}" for n in range(5, 12)}


def test_stored_evidence_that_could_not_be_collected_again_is_not_a_pass(good):
    nothing = Snapshot(unseen={field.name: "the model did not load" for field in fields(Snapshot)})
    report = inspect(RELOADED, Evidence(good), Evidence(nothing))
    assert report.verdict is Verdict.INCONCLUSIVE
    assert {skip.reason for skip in report.skips if skip.required} == {"the model did not load"}
    assert {skip.code for skip in report.skips if skip.required} == {f"CKP{n:03}" for n in range(3, 11)}


def test_a_model_that_did_not_load_is_no_pass_even_without_evidence_of_the_save():
    report = inspect(RELOADED, Evidence(Snapshot()), Evidence(Snapshot()))
    assert report.verdict is Verdict.INCONCLUSIVE


def test_a_reload_that_was_asked_for_and_not_made_is_no_pass():
    actual = Evidence().including(Snapshot, Unobserved("no model library", required=True))
    report = inspect(RELOADED, Evidence(), actual)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert {skip.reason for skip in report.skips} == {"no model library"}
