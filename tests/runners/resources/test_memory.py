import pytest

from ledger.evidence import Unobserved
from ledger.evidence.training import DeviceMemory
from runners.resources import memory
from runners.resources.memory import count_parameters, cpu_memory, device_memory, parse_gpu, training_need

PARAMETERS = 61_046_784


@pytest.mark.parametrize(
    ("precision", "optim", "per_parameter"),
    [
        ("fp32", "adamw_torch", 16),
        ("amp", "adamw_torch_fused", 16),
        ("fp16", "adamw_torch", 16),
        ("bf16", "adamw_torch", 8),
        ("fp32", "adamw_bnb_8bit", 10),
        ("fp32", "adafactor", 8),
        ("fp32", "sgd", 8),
        ("fp32", "an optimizer of tomorrow", 8),
    ],
)
def test_bytes_per_parameter(precision, optim, per_parameter):
    need = training_need(PARAMETERS, precision=precision, optim=optim)
    assert need.total_bytes == per_parameter * PARAMETERS


def test_frozen_parameters_have_weights_alone():
    need = training_need(1000, trainable=10)
    assert need.parts == {"weights": 4000, "gradients": 40, "optimizer": 80}


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", "float32"), ("bf16", "bfloat16")])
def test_the_estimate_is_what_torch_really_keeps(precision, dtype):
    """Byte for byte, but for AdamW's step counter, of four bytes a tensor."""
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(torch.nn.Linear(64, 256), torch.nn.Linear(256, 64)).to(getattr(torch, dtype))
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(2, 64, dtype=getattr(torch, dtype))).sum().backward()
    optimizer.step()
    tensors = list(model.parameters())
    states = [value for state in optimizer.state.values() for name, value in state.items() if name != "step"]
    kept = sum(t.nbytes + t.grad.nbytes for t in tensors) + sum(value.nbytes for value in states)
    assert training_need(sum(t.numel() for t in tensors), precision=precision).total_bytes == kept


def test_parameters_are_counted_in_a_real_file(tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(3, 5), "scalar": torch.tensor(1.0)}, tmp_path / "model-1.safetensors")
    save_file({"b": torch.zeros(7)}, tmp_path / "model-2.safetensors", metadata={"format": "pt"})
    assert count_parameters(tmp_path) == 15 + 1 + 7


@pytest.mark.parametrize(
    "content", [b"", b"\x05", b"\xff" * 40, b"\x02\0\0\0\0\0\0\0[]", b"\x02\0\0\0\0\0\0\0{"]
)
def test_a_broken_file_leaves_the_number_unknown(tmp_path, content):
    (tmp_path / "model.safetensors").write_bytes(content)
    assert count_parameters(tmp_path) is None


def test_an_empty_folder_has_no_number(tmp_path):
    assert count_parameters(tmp_path) is None


@pytest.mark.parametrize(
    ("text", "total", "free"),
    [
        ("NVIDIA H100 80GB HBM3, 81559, 81000\nNVIDIA H100, 1, 1\n", 81559, 81000),
        ("A card, with a comma, 16, 8", 16, 8),
    ],
)
def test_the_answer_of_nvidia_smi(text, total, free):
    found = parse_gpu(text)
    assert (found.total_bytes, found.free_bytes) == (total * 2**20, free * 2**20)


@pytest.mark.parametrize("text", ["", "No devices were found", "NVIDIA GB10, [N/A], [N/A]"])
def test_an_answer_without_numbers_is_none(text):
    assert parse_gpu(text) is None


def test_this_machine_has_memory():
    found = cpu_memory()
    assert 0 < found.free_bytes <= found.total_bytes


def test_a_container_has_less(tmp_path):
    (tmp_path / "memory.max").write_text("300000000\n")
    (tmp_path / "memory.current").write_text("200000000\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 150000000\n")
    assert cpu_memory(tmp_path) == DeviceMemory("this machine", 300_000_000, 250_000_000)


def test_a_container_without_a_limit_is_the_machine(tmp_path):
    (tmp_path / "memory.max").write_text("max\n")
    assert cpu_memory(tmp_path).total_bytes == cpu_memory(tmp_path / "none").total_bytes


def test_a_gpu_is_asked_through_its_own_program(tmp_path, monkeypatch):
    """A real program in the place of nvidia-smi: this machine need not have one."""
    program = tmp_path / "nvidia-smi"
    program.write_text('#!/bin/sh\ncase "$1" in --id=1) echo "NVIDIA A10, 100, 60";; *) exit 6;; esac\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,0")
    assert device_memory("cuda") == DeviceMemory("NVIDIA A10", 100 * 2**20, 60 * 2**20)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    assert isinstance(device_memory("cuda"), Unobserved)
    assert device_memory("auto").device == "this machine"


def test_without_a_gpu_cuda_is_not_observed(monkeypatch):
    monkeypatch.setattr(memory.shutil, "which", lambda name: None)
    assert isinstance(device_memory("cuda"), Unobserved)
    assert device_memory("auto").device == "this machine"
