"""Bad checkpoints of many kinds between sound ones: each has its row, and none hides the others."""

import shutil
from pathlib import Path

import pytest

from ledger.checkpoints.folders import verified_path
from runners.worker.evidence.checkpoint_files import inspect_folder
from tests.runners.host.verification.bad_checkpoints import FILES, FOLDERS, LOADED

SOME_FILES = (
    "a cut header",
    "a pipe for weights",
    "a pipe for evidence",
    "a link loop",
    "an endless file",
    "a huge config",
    "an index out of the folder",
    "a config of a million layers",
    "empty tensors",
    "its ledger elsewhere",
)


@pytest.mark.parametrize("kind", FILES)
def test_bad_files_are_named_without_loading_them(kind, marian):
    make, says = FILES[kind]
    make(marian)
    seen = inspect_folder(marian)
    found = {**seen["problems"], **seen["refusals"]}
    assert says in " ".join(f"{name} {why}" for name, why in found.items())


def test_twenty_kinds_in_one_call(healthy, outside, ledger):
    def copy(name):
        return Path(shutil.copytree(healthy["marian"], outside / name.replace(" ", "-") / "checkpoint-20"))

    kinds = {kind: FILES[kind] for kind in SOME_FILES if kind in FILES} | LOADED | FOLDERS
    bad = {kind: copy(kind) for kind in kinds}
    for kind, (make, _) in kinds.items():
        make(bad[kind])
    first, last = copy("first"), copy("last")
    code, document, _ = ledger(first, *bad.values(), last)
    rows = document["checkpoints"]
    assert (code, document["verdict"]) == (1, "fail")
    assert [row["checkpoint"] for row in rows] == [str(path) for path in (first, *bad.values(), last)]
    assert {row["checkpoint"] for row in rows if row["verdict"] == "pass"} == {str(first), str(last)}
    for (kind, (_, says)), row in zip(kinds.items(), rows[1:-1], strict=True):
        found = [one["message"] for one in row["findings"]] + [one["reason"] for one in row["skips"]]
        assert any(says in text for text in found), kind
        assert row["verdict"] == "inconclusive" if kind in FOLDERS else True
        assert not verified_path(bad[kind]).exists()
