import json

import pytest

from ledger.checkpoints.kinds import checkpoints_below, is_checkpoint, unsupported_kind


def make(folder, *names, architecture=None):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"x")
    if architecture:
        (folder / "config.json").write_text(json.dumps({"architectures": [architecture]}))
    return folder


@pytest.mark.parametrize(
    ("names", "architecture", "expected"),
    [
        (["adapter_config.json", "adapter_model.safetensors"], None, "a PEFT adapter"),
        (["model.gguf"], None, "GGUF"),
        (["encoder.onnx"], None, "ONNX"),
        (["model.bin", "shared_vocabulary.json"], None, "CTranslate2"),
        (["model.pt", "dict.ko.txt"], None, "fairseq"),
        (["model.safetensors"], "BertForSequenceClassification", "BertForSequenceClassification"),
        (["model.safetensors"], "GPT2LMHeadModel", "GPT2LMHeadModel"),
        (
            ["adapter_model.safetensors", "adapter_config.json"],
            "MBartForConditionalGeneration",
            "a PEFT adapter",
        ),
        (["model_quantized.onnx"], "MarianMTModel", "ONNX"),
        (["tf_model.h5"], "MarianMTModel", "TensorFlow weights"),
        (["model.safetensors"], "M2M100Model", "M2M100Model"),
        (["model.safetensors"], "T5EncoderModel", "T5EncoderModel"),
        (["model.safetensors", "model.onnx"], "MarianMTModel", None),
        (["model.safetensors"], "T5WithLMHeadModel", None),
        (["model.safetensors"], "MarianMTModel", None),
        (["model.safetensors"], "MBartForConditionalGeneration", None),
        (["model.safetensors"], "NoSuchClass", None),
        (["model.safetensors"], None, None),
        ([], None, None),
    ],
)
def test_what_is_not_supported(tmp_path, names, architecture, expected):
    assert unsupported_kind(make(tmp_path / "c", *names, architecture=architecture)) == expected


@pytest.mark.parametrize("content", ["", "{", "[]", '{"architectures": 3}', '{"architectures": []}'])
def test_a_damaged_config_is_left_to_the_guards(tmp_path, content):
    make(tmp_path, "model.safetensors")
    (tmp_path / "config.json").write_text(content)
    assert unsupported_kind(tmp_path) is None


def test_a_folder_of_checkpoints_is_not_one(tmp_path):
    run = make(tmp_path / "run", "training_args.bin")
    make(run / "checkpoint-50", "config.json")
    make(run / "checkpoint-100", "config.json")
    assert [one.name for one in checkpoints_below(run)] == ["checkpoint-50", "checkpoint-100"]
    assert checkpoints_below(run / "checkpoint-50") == []
    assert checkpoints_below(make(tmp_path / "empty")) == []
    make(run, "model.safetensors")
    assert checkpoints_below(run) == [], "the final model is one itself"


@pytest.mark.parametrize(
    ("name", "files", "expected"),
    [
        ("mine", ["config.json"], True),
        ("mine", ["model-00001-of-00002.safetensors"], True),
        ("mine", ["vocab.json"], True),
        ("mine", [], True),
        ("checkpoint-5", ["notes.txt"], True),
        ("mine", ["notes.txt", "train.py"], False),
    ],
)
def test_what_may_be_a_checkpoint(tmp_path, name, files, expected):
    """An empty folder, and one named as a checkpoint, are incomplete ones."""
    assert is_checkpoint(make(tmp_path / name, *files)) == expected


def test_files_that_a_trainer_leaves_in_a_runs_folder_make_it_no_checkpoint(tmp_path):
    run = make(
        tmp_path / "run", "trainer_state.json", "training_args.bin", "tokenizer.json", "all_results.json"
    )
    make(run / "checkpoint-5", "config.json")
    assert not is_checkpoint(run)
    assert checkpoints_below(tmp_path) == [run / "checkpoint-5"], "two levels too high"


def test_a_model_with_evidence_of_its_save_can_be_verified(tmp_path):
    folder = make(tmp_path / "c", "config.json", "model.safetensors", architecture="LlamaForCausalLM")
    assert unsupported_kind(folder) == "LlamaForCausalLM"
    (folder / "ledger").mkdir()
    (folder / "ledger" / "evidence.json").touch()
    assert unsupported_kind(folder) is None
