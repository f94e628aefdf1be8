"""Names, paths, inheritance and overrides: what ends up in a spec."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from ledger.models.families import infer_family
from ledger.specs import load_experiment, names


def test_defaults(folder, whole):
    spec = load_experiment(whole, folder)
    assert spec.name == "whole"
    assert spec.generation.parameters() == {}
    assert (spec.seed, spec.device, spec.clean, spec.status) == (0, "auto", False, "ready")
    assert spec.failure_marker == "FAILED_TRANSLATION_CLEANED"


def test_korean_and_norwegian_stay_text(folder, write, whole):
    write("mine", f"extends: {whole}\nlanguages: {{source: ko, target: no}}\n")
    assert load_experiment("mine", folder).languages.target == "no"


def test_maps_merge_and_scalars_replace(folder, write, whole):
    write("base/first", f"extends: {whole}\ngeneration: {{num_beams: 3, max_length: 128}}\nseed: 1\n")
    write("mine", "extends: base/first\ngeneration: {num_beams: 5}\n")
    spec = load_experiment("mine", folder)
    assert spec.generation.parameters() == {"num_beams": 5, "max_length": 128}
    assert (spec.seed, spec.extends) == (1, "base/first")


@pytest.mark.parametrize(
    ("unset", "left"), [("generation: {max_length: null}", {"num_beams": 3}), ("generation: null", {})]
)
def test_null_unsets(folder, write, whole, unset, left):
    write("base/first", f"extends: {whole}\ngeneration: {{num_beams: 3, max_length: 128}}\n")
    write("mine", f"extends: base/first\n{unset}\n")
    assert load_experiment("mine", folder).generation.parameters() == left


def test_null_unsets_a_rate(folder, write, whole):
    write("base/first", f"extends: {whole}\nguards: {{max_rate: {{TXT001: 0.1, TXT002: 0.2}}}}\n")
    write("mine", "extends: base/first\nguards: {max_rate: {TXT001: null}}\n")
    assert load_experiment("mine", folder).guards.max_rate == {"TXT002": 0.2}


def test_a_spec_can_be_named_by_its_path(folder, whole, tmp_path):
    elsewhere = tmp_path / "elsewhere.yaml"
    elsewhere.write_text(f"extends: {whole}\nseed: 7\n", encoding="utf-8")
    assert load_experiment(str(elsewhere), folder).seed == 7
    assert (
        load_experiment("experiments/whole.yaml", folder)
        == load_experiment("whole.yaml", folder)
        == load_experiment(whole, folder)
    )


def test_a_byte_order_mark_and_windows_line_ends_are_read(folder, write, whole):
    write("mine", f"extends: {whole}\r\nseed: 7\r\n".encode("utf-8-sig"))
    assert load_experiment("mine", folder).seed == 7


def test_set_wins_and_the_last_one_wins(folder, whole):
    spec = load_experiment(
        whole, folder, ["generation.num_beams=5", "seed=3", "seed=4", "model.dtype=float16", "title=x"]
    )
    assert spec.generation.num_beams == 5
    assert (spec.seed, spec.model.dtype, spec.title) == (4, "float16", "x")


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("title=", None),
        ("title=null", None),
        ('title="null"', "null"),
        ("title='a: b = c'", "a: b = c"),
        ("title=no", "no"),
    ],
)
def test_set_takes_a_yaml_scalar(folder, whole, override, value):
    assert load_experiment(whole, folder, [override]).title == value


def test_names_are_in_counting_order(folder, write, whole):
    for name in ("exp10", "exp2", "base/teacher", ".hidden"):
        write(name, "seed: 1")
    (folder / "notes.txt").touch()
    assert names(folder) == ["exp2", "exp10", "whole"]


def test_names_of_a_folder_that_is_not_there(tmp_path):
    assert names(tmp_path / "nothing") == []


def test_a_spec_cannot_be_changed(folder, whole):
    with pytest.raises(ValidationError):
        load_experiment(whole, folder).seed = 3


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("facebook/nllb-200-3.3B", "nllb"),
        ("facebook/nllb-200-distilled-600M", "nllb"),
        ("facebook/mbart-large-50-many-to-many-mmt", "mbart50"),
        ("facebook/mbart-large-cc25", "mbart"),
        ("facebook/mbart-large-en-ro", "mbart"),
        ("facebook/m2m100_1.2B", "m2m100"),
        ("Helsinki-NLP/opus-mt-ko-en", "marian"),
        ("google-t5/t5-large", "t5"),
        ("google/mt5-base", "t5"),
        ("google/flan-t5-small", "t5"),
        ("google/byt5-small", None),
        ("models/nllb/best", None),
        ("models/my-marian/", "marian"),
        ("gpt5-large", None),
    ],
)
def test_infer_family(model, family):
    assert infer_family(model) == family


def test_a_family_that_is_named_is_kept(folder, write, whole):
    write("mine", f"extends: {whole}\nmodel: {{name: models/best, family: marian}}\n")
    assert load_experiment("mine", folder).model.family == "marian"


def test_reading_a_spec_imports_nothing_heavy():
    heavy = ["torch", "transformers", "mlflow", "sacrebleu", "numpy", "git", "rich", "click"]
    code = f"import sys, ledger.specs; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd()
    )
    assert done.stdout.strip() == "[]"
