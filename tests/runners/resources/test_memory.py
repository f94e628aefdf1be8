import pytest

from ledger.evidence import Unobserved
from ledger.evidence.training import DeviceMemory
from runners.resources import memory
from runners.resources.memory import cpu_memory, device_memory, parse_gpu, training_need

PARAMETERS = 61_046_784


@pytest.mark.parametrize("precision", ["fp32", "amp"])
def test_bytes_per_parameter(precision):
    need = training_need(PARAMETERS, precision=precision)
    assert need.total_bytes == 16 * PARAMETERS
    assert need.parts == {
        "weights": 4 * PARAMETERS,
        "gradients": 4 * PARAMETERS,
        "optimizer": 8 * PARAMETERS,
    }


def test_the_estimate_is_what_torch_really_keeps():
    """Byte for byte, but for AdamW's step counter, of four bytes a tensor."""
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(torch.nn.Linear(64, 256), torch.nn.Linear(256, 64))
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(2, 64)).sum().backward()
    optimizer.step()
    tensors = list(model.parameters())
    states = [value for state in optimizer.state.values() for name, value in state.items() if name != "step"]
    kept = sum(t.nbytes + t.grad.nbytes for t in tensors) + sum(value.nbytes for value in states)
    assert training_need(sum(t.numel() for t in tensors)).total_bytes == kept


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
