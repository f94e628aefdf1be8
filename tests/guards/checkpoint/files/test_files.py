"""CKP001 and CKP002: what is told of a folder before anything is loaded."""

from dataclasses import replace

from guards.checkpoint.files import conflicting_files, incomplete_files, unsafe_files
from ledger.evidence.checkpoint_files import CheckpointFiles, SoundFiles
from ledger.findings import Severity


def files(problems=None, refusals=None):
    return CheckpointFiles("checkpoint-784", "safetensors", 244_186_112, problems or {}, refusals or {})


def test_sound_files_pass():
    assert list(incomplete_files.inspect(SoundFiles(), files())) == []
    assert list(unsafe_files.inspect(SoundFiles(), files())) == []


def test_all_problems_are_one_finding():
    problems = {"model.safetensors": "ends after 9 of 244 MB", "config.json": "is missing"}
    (finding,) = incomplete_files.inspect(SoundFiles(), files(problems))
    assert finding.severity is Severity.ERROR
    assert finding.message == "config.json: is missing; model.safetensors: ends after 9 of 244 MB"
    assert finding.evidence["problems"] == problems


def test_many_problems_are_counted():
    problems = {f"model-{n:05}.safetensors": "is missing" for n in range(9)}
    (finding,) = incomplete_files.inspect(SoundFiles(), files(problems))
    assert finding.message.endswith("; and 5 more")
    assert finding.measured == 9


def test_each_refused_file_is_a_finding():
    refusals = {"pytorch_model.bin": "a pickle that calls os.system", "config.json": "asks for remote code"}
    found = list(unsafe_files.inspect(SoundFiles(), files(refusals=refusals)))
    assert [(finding.severity, finding.measured) for finding in found] == [
        (Severity.ERROR, "config.json"),
        (Severity.ERROR, "pytorch_model.bin"),
    ]
    assert found[1].message == "pytorch_model.bin was not opened: a pickle that calls os.system"


def test_what_can_be_loaded_in_two_ways_is_an_error_and_what_is_not_loaded_a_warning():
    actual = replace(files(), conflicts={"b": "holds x twice"}, leftovers={"a": "is newer", "c": "is stray"})
    error, warning = conflicting_files.inspect(SoundFiles(), actual)
    assert (error.severity, error.message) == (Severity.ERROR, "b holds x twice")
    assert (warning.severity, warning.message) == (Severity.WARNING, "a is newer; c is stray")


def test_files_without_conflicts_pass():
    assert list(conflicting_files.inspect(SoundFiles(), files())) == []
