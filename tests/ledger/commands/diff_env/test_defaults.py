import pytest

from ledger.commands.diff_env.defaults import lockfiles_behind, models_of
from ledger.commands.diff_env.sources import SideSource
from ledger.errors import UsageError
from ledger.evidence.environment import EnvironmentSide, Package
from ledger.workspace import Workspace
from runners.worker.messages import ModelClass

RECORDED = SideSource(lambda _others: [])


@pytest.fixture
def workspace(tmp_path):
    for folder in ("experiments", "lockfiles"):
        (tmp_path / folder).mkdir()
    return Workspace(tmp_path)


def side(**versions):
    return EnvironmentSide("a run", "run", {name: Package(version) for name, version in versions.items()})


@pytest.mark.parametrize(
    ("versions", "found"),
    [
        ({"a": "1", "b": "2"}, ["both"]),
        ({"a": "1"}, ["one"]),
        ({"a": "1", "b": "3"}, []),
        ({"a": "1", "b": "2", "c": "3"}, []),
        ({}, []),
    ],
)
def test_a_recorded_environment_is_that_of_the_lockfile_that_pins_just_it(workspace, versions, found):
    files = {"both": "a==1\nb==2\n", "one": "a==1\n", "loose": "a>=1\n", "empty": ""}
    for name, text in files.items():
        (workspace.lockfiles / f"{name}.txt").write_text(text)
    lockfiles = lockfiles_behind(RECORDED, side(**versions), workspace)
    assert [one.name for one in lockfiles] == found


SPEC = """
task: training
model: {family: marian, config: {d_model: 64, tie_word_embeddings: true}}
languages: {source: ja, target: ko}
data:
  train: {source: a.ja, reference: a.ko}
  validation: {source: b.ja, reference: b.ko}
output: out
"""


def test_the_classes_in_use_are_those_of_the_specs_with_what_they_set(workspace):
    (workspace.experiments / "mine.yaml").write_text(SPEC)
    (workspace.experiments / "broken.yaml").write_text("model: [")
    (found,) = models_of(None, [None], workspace)
    assert (found.name, found.family) == ("mine", "marian")
    assert {"d_model": 64, "tie_word_embeddings": True}.items() <= found.config.items()
    assert models_of("mine", [None], workspace) == [found]
    with pytest.raises(UsageError):
        models_of("mine2", [None], workspace)


def test_outside_a_ledger_every_family_is_looked_at():
    assert ModelClass("", "t5") in models_of(None, [], None)
