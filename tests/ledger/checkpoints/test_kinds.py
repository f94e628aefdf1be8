import json

import pytest

from ledger.checkpoints.kinds import checkpoints_below, unsupported_kind


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
