"""docs/case-study.md shows the output of `ledger verify`: its commands run on a checkpoint of this version.

What only the page's versions show is recorded output; `make matrix` measures it again.
"""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "case-study.md").read_text(encoding="utf-8")
FIRST = "matrix/mt-5.0.0/Marian-share-T-tie-T/checkpoint-200"
ROW = re.compile(r"^([A-Z]{3}\d{3}|      )  (error|warning|skipped|passed) +(.*)$")


def load_matrix():
    spec = importlib.util.spec_from_file_location("matrix", ROOT / "tools" / "matrix.py")
    module = sys.modules["matrix"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder with the page's first checkpoint, made by the installed version."""
    matrix, folder = load_matrix(), tmp_path_factory.mktemp("case-study")
    (model,) = [model for model in matrix.MODELS if model.folder == "Marian-share-T-tie-T"]
    order = matrix._order(model, folder / "matrix/mt-5.0.0")
    subprocess.run(
        [sys.executable, str(ROOT / "tools/tiny_checkpoints.py"), "save"],
        input=json.dumps([order]),
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        text=True,
        check=True,
        capture_output=True,
    )
    return folder


def parsed(output):
    """Verdict, rows by guard and passed guards; without CKP011, which names the installed versions."""
    rows, passed = {}, ""
    last = None
    for line in output.splitlines():
        if found := ROW.match(line):
            last = found[1].strip() or "passed"
            rows[last] = (found[2], found[3].strip())
        elif line.startswith(" " * 17) and last:
            rows[last] = (rows[last][0], f"{rows[last][1]} {line.strip()}")
        else:
            last = None
    passed = frozenset(re.findall(r"[A-Z]{3}\d{3}", rows.pop("passed", ("", ""))[1])) - {"CKP011"}
    rows.pop("CKP011", None)
    verdict = re.search(r"^(PASS|FAIL|INCONCLUSIVE)  ", output, re.MULTILINE)
    return verdict and verdict[1], rows, passed


def block_of(command):
    """The page's block with this command."""
    (found,) = [b for b in re.findall(r"^```console\n(.*?)^```$", PAGE, re.M | re.S) if command in b]
    return found


@pytest.mark.parametrize(
    ("shown", "ran"),
    [
        (f"{FIRST} --env mt-5.0.0", f"ledger verify {FIRST}"),
        ("checkpoint-6000 --claim bleu=0.22", "ledger verify checkpoint-6000 --claim bleu=0.22"),
    ],
)
def test_the_page_shows_what_a_verification_prints(shown, ran, folder):
    if "6000" in ran and not (folder / "checkpoint-6000").exists():
        shutil.copytree(folder / FIRST, folder / "checkpoint-6000")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1"}
    environment.pop("COLUMNS", None)
    done = subprocess.run(
        ran.split(), cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout, done.stderr
    verdict, rows, passed = parsed(done.stdout)
    claimed = parsed(block_of(shown))
    assert rows, done.stdout
    assert (verdict, rows) == claimed[:2]
    assert claimed[2] <= passed, "the page names the first ones"
