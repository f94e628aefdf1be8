"""The specs in experiments/ say what the log of the nine experiments says."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.specs import GenerationSpec, load_experiment, names

FOLDER = Path(__file__).parents[3] / "experiments"
ALL = [f"exp{number}" for number in range(1, 10)]
MBART50 = "facebook/mbart-large-50-many-to-many-mmt"
SCRIPT = {
    "max_length": 128,
    "repetition_penalty": 2.0,
    "length_penalty": 0.5,
    "early_stopping": True,
    "do_sample": False,
}


def exp(name: str) -> GenerationSpec:
    return load_experiment(name, FOLDER)


def flat(value: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, below in value.items():
            yield from flat(below, f"{prefix}.{key}" if prefix else key)
    else:
        yield prefix, value


def differing(one: GenerationSpec, two: GenerationSpec) -> set[str]:
    left, right = dict(flat(one.digested())), dict(flat(two.digested()))
    return {key for key in left.keys() | right.keys() if left.get(key) != right.get(key)}


def test_all_are_there():
    assert [name for name in names(FOLDER) if name in ALL] == ALL


STATED = {
    "exp1": ("facebook/nllb-200-3.3B", "kor_Hang", "jpn_Jpan", 40, {"num_beams": 3}),
    "exp2": (
        "facebook/nllb-200-3.3B",
        "kor_Hang",
        "jpn_Jpan",
        40,
        {"num_beams": 1, "max_length": 128, "repetition_penalty": 1.2},
    ),
    "exp3": (
        "facebook/nllb-200-distilled-600M",
        "kor_Hang",
        "jpn_Jpan",
        40,
        {"num_beams": 1, "max_length": 128, "repetition_penalty": 1.2},
    ),
    "exp4": (MBART50, "ko", "ja", 20, {"num_beams": 3, "max_length": 128, "repetition_penalty": 1.0}),
    "exp5": (MBART50, "ko_KR", "ja_XX", 20, {**SCRIPT, "num_beams": 3}),
    "exp6": ("facebook/m2m100_1.2B", "ko", "ja", 20, {**SCRIPT, "num_beams": 3, "repetition_penalty": 1.5}),
    "exp7": (MBART50, "ko_KR", "ja_XX", 20, {**SCRIPT, "num_beams": 3}),
    "exp8": ("facebook/mbart-large-cc25", "ko_KR", "ja_XX", 20, {**SCRIPT, "num_beams": 3}),
    "exp9": (MBART50, "ko_KR", "ja_XX", 20, {**SCRIPT, "num_beams": 5, "repetition_penalty": 1.7}),
}


@pytest.mark.parametrize("name", ALL)
def test_stated_parameters(name):
    spec = exp(name)
    model, source, target, batch_size, parameters = STATED[name]
    assert (spec.model.name, spec.codes.source, spec.codes.target) == (model, source, target)
    assert spec.generation.batch_size == batch_size
    assert spec.generation.parameters() == parameters


@pytest.mark.parametrize("name", ALL)
def test_what_all_share(name):
    spec = exp(name)
    assert (spec.languages.source, spec.languages.target) == ("ko", "ja")
    assert spec.data.source == "data/splits/train_sample1000.ko"
    assert spec.data.reference is None
    assert (spec.model.dtype, spec.environment) == ("float16", "mt-4.57.6")
    assert spec.title
    assert spec.notes


def test_each_writes_a_file_of_its_own():
    outputs = [exp(name).output for name in ALL]
    assert len(set(outputs)) == len(ALL)
    assert all(path.startswith(f"data/teacher/{name}_") for name, path in zip(ALL, outputs, strict=True))


def test_exp5_and_exp7_are_one_experiment():
    assert exp("exp5").digest == exp("exp7").digest
    assert exp("exp5").digested() == exp("exp7").digested()
    assert exp("exp5").output != exp("exp7").output


def test_no_others_are():
    assert len({exp(name).digest for name in ALL}) == len(ALL) - 1


MODEL_AND_FAMILY = {"model.name", "model.family"}
CODES = {"codes.source", "codes.target"}


@pytest.mark.parametrize(
    ("one", "two", "keys"),
    [
        ("exp1", "exp2", {"generation.num_beams", "generation.max_length", "generation.repetition_penalty"}),
        ("exp2", "exp3", {"model.name"}),
        ("exp5", "exp6", MODEL_AND_FAMILY | CODES | {"generation.repetition_penalty"}),
        ("exp5", "exp8", MODEL_AND_FAMILY),
        ("exp5", "exp9", {"generation.num_beams", "generation.repetition_penalty"}),
    ],
)
def test_what_a_section_changes(one, two, keys):
    assert differing(exp(one), exp(two)) == keys


def test_the_two_that_were_never_run_are_planned():
    assert [name for name in ALL if exp(name).status == "planned"] == ["exp2", "exp3"]


# shared_base.yaml and t5_large_nofreeze.yaml as the T5 log quotes their last state: version 58's.
LAST_STATE = {
    "training.gradient_clip": 0.012,
    "training.precision": "32",
    "training.optimizer.lr": 3.0e-5,
    "training.layerwise_lr_decay": 0.90,
    "training.t5_lr_top": 7.5e-6,
    "training.scheduler.max_lr": 3.75e-5,
    "training.epochs": 7,
    "training.warmup_epochs": 1,
    "development.limit_train_batches": 4850,
    "development.limit_val_batches": 970,
}
# What the log states of version 56.
FIRST_STATE = {
    **LAST_STATE,
    "training.gradient_clip": 0.008,
    "training.optimizer.lr": 2.0e-5,
    "training.t5_lr_top": 5.0e-6,
    "training.scheduler.max_lr": 2.5e-5,
    "training.epochs": 6,
    "training.warmup_epochs": 3,
    "development.limit_train_batches": 970,
}


def t5(name: str) -> dict[str, object]:
    return dict(flat(load_experiment(name, FOLDER).digested()))


@pytest.mark.parametrize(("name", "stated"), [("t5-v56", FIRST_STATE), ("t5-v58", LAST_STATE)])
def test_a_version_of_t5_is_what_the_log_states(name, stated):
    resolved = t5(name)
    assert {key: resolved[key] for key in stated} == stated
    assert (resolved["masking.mask_ratio"], resolved["masking.span_max"]) == (0.15, 10)
    assert [key.rpartition(".")[2] for key in resolved if key.startswith("data.series.")] == [
        "M1",
        "M5",
        "M15",
        "M30",
        "H1",
        "H4",
    ]


def test_a_version_of_t5_says_what_it_changes():
    v56, v57, v58 = t5("t5-v56"), t5("t5-v57"), t5("t5-v58")
    assert {key for key in v56 if v56[key] != v57[key]} == {"development.limit_train_batches"}
    assert {key for key in v57 if v57[key] != v58[key]} == {
        "training.gradient_clip",
        "training.optimizer.lr",
        "training.t5_lr_top",
        "training.scheduler.max_lr",
        "training.epochs",
        "training.warmup_epochs",
    }
