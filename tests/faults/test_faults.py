"""Every fault is caught by the guards named for it, no healthy save is: by the flow of `ledger verify`."""

import importlib.util
import shutil
from pathlib import Path

import pytest
import torch

from ledger.commands.verify.verify import verify_checkpoint
from ledger.findings import Severity, Verdict


def load(name):
    spec = importlib.util.spec_from_file_location(f"faults_{name}", Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


faults, made = load("faults"), load("conftest")
pytestmark = pytest.mark.timeout(
    1800
)  # the first test waits for all trainings: a minute, or many on a busy machine
GOOD = 200
HEALTHY = 60
COMPARED = {f"CKP00{number}" for number in range(1, 10)}  # all that hold a save against its reload


def copy(good, name, tmp_path):
    target = tmp_path / name / f"checkpoint-{GOOD}"
    shutil.copytree(good / name / f"checkpoint-{GOOD}", target)
    return target


@pytest.mark.parametrize("fault", faults.FAULTS, ids=str)
def test_a_fault_is_caught_by_the_guards_named_for_it(fault, good, tmp_path, worker, setting):
    spoilt = copy(good, fault.of, tmp_path)
    fault.make(spoilt, good)
    verified = verify_checkpoint(worker, setting, spoilt)
    assert fault.codes <= verified.report.failing, verified.report
    assert fault.warns <= {one.code for one in verified.report.findings if one.severity is Severity.WARNING}
    assert verified.report.verdict is (Verdict.FAIL if fault.codes else verified.report.verdict)
    assert not (spoilt.parent / faults.PAYLOAD).exists()


@pytest.mark.parametrize("twin", faults.TWINS, ids=str)
def test_what_only_looks_like_a_fault_is_not_flagged(twin, good, tmp_path, worker, setting):
    sound = copy(good, twin.of, tmp_path)
    twin.make(sound, good)
    report = verify_checkpoint(worker, setting, sound).report
    assert report.verdict is Verdict.PASS, report
    assert not [one for one in report.findings if one.code.startswith("CKP") and one.severity > Severity.INFO]


KINDS = {
    "embedding zeroed",
    "head missing",
    "wrong prefix",
    "optimizer only",
    "truncated in the header",
    "truncated half-way",
    "the last byte is missing",
    "one flipped byte",
    "NaN",
    "Inf from float16",
    "noise as of an average of weights",
    "another run's tokenizer",
    "vocabulary in another order",
    "wrong forced_bos_token_id",
    "wrong decoder_start_token_id",
    "wrong max_length",
    "untied head tied again",
    "config of another width",
    "empty folder",
    "pickle with a payload",
    "symlink out of the folder",
}  # a save cast to bfloat16 is no fault: it has a test of its own


def test_every_kind_of_fault_exists_and_names_its_guards():
    assert {fault.name for fault in faults.FAULTS} >= KINDS
    assert all(fault.codes or fault.warns for fault in faults.FAULTS)
    assert {fault.of for fault in faults.FAULTS} >= {
        "marian",
        "marian-untied",
        "mbart50",
        "m2m100",
        "nllb",
        "t5",
    }


def healthy(good):
    return [path for path in sorted(good.glob("*/checkpoint-*")) if not path.parent.name.endswith("-other")]


def test_no_healthy_save_is_flagged(good, worker, setting):
    """From the first step, when a model writes garbage in memory as well, to the last, when it knows all."""
    checkpoints = healthy(good)
    assert len(checkpoints) >= HEALTHY
    trainings = {path.parent.name for path in checkpoints}
    assert all(sum(name.startswith(family) for name in trainings) >= 3 for family in made.FAMILIES), "seeds"
    flagged = {}
    for checkpoint in checkpoints:
        report = verify_checkpoint(worker, setting, checkpoint).report
        ours = [finding for finding in report.findings if finding.code.startswith("CKP")]
        if report.verdict is not Verdict.PASS or ours or not COMPARED.issubset(report.passed):
            flagged[f"{checkpoint.parent.name}/{checkpoint.name}"] = report
    assert not flagged


@pytest.mark.parametrize("name", ["marian", "marian-untied", "mbart50", "m2m100", "nllb", "t5"])
def test_a_checkpoint_cast_to_bfloat16_is_reported_but_not_a_fault(name, good, tmp_path, worker, setting):
    cast = copy(good, name, tmp_path)
    faults.edit_weights(
        cast, lambda tensors: {key: value.to(torch.bfloat16) for key, value in tensors.items()}
    )
    verified = verify_checkpoint(worker, setting, cast)
    assert verified.report.verdict is Verdict.PASS, verified.report
    reported = {finding.code: finding.severity for finding in verified.report.findings}
    assert reported["CKP005"] is Severity.INFO
    assert reported["CKP006"] is Severity.INFO


def test_without_its_tokenizer_a_checkpoint_is_not_believed(good, tmp_path, worker, setting):
    spoilt = copy(good, "nllb", tmp_path)
    for pattern in ("tokenizer*", "*.model", "special_tokens_map.json", "added_tokens.json"):
        for path in spoilt.glob(pattern):
            path.unlink()
    report = verify_checkpoint(worker, setting, spoilt).report
    assert report.verdict is Verdict.INCONCLUSIVE
    assert {"CKP007", "CKP008"} <= {skip.code for skip in report.skips if skip.required}
