"""COMET: with a tiny random model of the right class, where LEDGER_COMET_PYTHON names its environment.

`ledger env build comet` makes one. A random model's scores mean nothing; that they are COMET's own is tested.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ledger.commands.comet import PYTHON
from runners.rehearsal.text import pairs
from tests.command import run_ledger

BUILDER = Path(__file__).with_name("tiny_comet.py")
LINES = list(pairs(20))
needs_comet = pytest.mark.skipif(PYTHON not in os.environ, reason=f"{PYTHON} names no Python that has COMET")


@pytest.fixture
def texts(tmp_path):
    """in.ko, ref.ja, and two outputs: a.ja is the reference, in b.ja every other line is its neighbour's."""
    shifted = [pair.ja if n % 2 else LINES[n - 1].ja for n, pair in enumerate(LINES)]
    texts = {"in.ko": [p.ko for p in LINES], "ref.ja": [p.ja for p in LINES], "b.ja": shifted}
    for name, lines in {**texts, "a.ja": texts["ref.ja"]}.items():
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    rows = "".join(
        "\t".join(row) + "\n" for row in zip(texts["in.ko"], shifted, texts["ref.ja"], strict=True)
    )
    (tmp_path / "rows.tsv").write_text(rows, encoding="utf-8")
    return tmp_path


GIVEN = ("--source", "in.ko", "--reference", "ref.ja", "--lang", "ja")


@needs_comet
@pytest.mark.timeout(600)
def test_scores_are_comets_own_with_signature_limit_and_paired_test(texts):
    command = [os.environ[PYTHON], str(BUILDER), "model", "rows.tsv"]
    made = subprocess.run(command, cwd=texts, check=True, capture_output=True, text=True)
    own = [float(score) for score in made.stdout.split()]
    comet = ("--comet", "model", "--json")

    checked = run_ledger("check", "b.ja", *GIVEN, *comet, "--min-comet", "50", cwd=texts)
    assert checked.returncode == 1, checked.stderr
    found = json.loads(checked.stdout)
    assert found["comet"]["value"] == pytest.approx(100 * sum(own) / len(own), rel=1e-5)
    assert "|sha256:" in found["comet"]["signature"]
    assert "SCO005" in {one["code"] for one in found["findings"]}

    compared = json.loads(run_ledger("compare", "a.ja", "b.ja", *GIVEN, *comet, cwd=texts).stdout)
    (test,) = [test for test in compared["tests"] if test["name"] == "COMET"]
    assert test["candidate"]["value"] == pytest.approx(found["comet"]["value"])
    assert test["interval"][0] <= test["difference"] <= test["interval"][1]

    (texts / "model/hparams.yaml").unlink()
    refused = run_ledger("check", "b.ja", *GIVEN, *comet, cwd=texts)
    assert refused.returncode == 3
    assert "no COMET model" in refused.stderr
    shutil.rmtree(texts / "model")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--comet", "m", "--lang", "ja"], "--comet needs the source and one reference"),
        (["--comet", "m", "--reference", "ref.ja", "--lang", "ja"], "--comet needs the source"),
        (["--min-comet", "80", *GIVEN], "--min-comet needs a model"),
        (["--comet", "m", *GIVEN], "no ledger at or above"),
    ],
)
def test_a_call_without_what_comet_needs(texts, arguments, says, monkeypatch):
    monkeypatch.delenv(PYTHON, raising=False)
    done = run_ledger("check", "b.ja", *arguments, cwd=texts)
    assert done.returncode == 2
    assert says in done.stderr
