"""A repository with two hundred recorded runs: generations, trainings, rehearsals, notes, a decision."""

import json
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ledger.journal.store import open_journal
from ledger.utils.hashing import digest_file
from ledger.workspace import Workspace
from runners.rehearsal.text import pairs
from tests.command import run_ledger

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = next((path for name in ("chromium", "google-chrome") if (path := shutil.which(name))), None)
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
RUNS = 100  # two entries each
SIGNATURE = "BLEU|nrefs:1|case:mixed|eff:no|tok:ja-mecab-0.996-IPA|smooth:exp|version:2.6.0"
BROKEN = {3: "I I I I I I I I I I I I", 5: "これは Window です", 8: "<script>alert(1)</script>", 9: ""}
ENVIRONMENTS = {"4.57.6": "a" * 64, "5.0.0": "b" * 64}


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The repository."""
    root = tmp_path_factory.mktemp("translation")
    (root / "experiments").mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=root, check=True)
    workspace = Workspace(root)
    real, rehearsals = (open_journal(workspace, mode) for mode in ("real", "rehearsal"))
    for version, digest in ENVIRONMENTS.items():
        facts = {
            "python": {"version": "3.11.7", "implementation": "CPython"},
            "torch": "2.13.0+cpu",
            "packages": {"transformers": {"version": version}, "torch": {"version": "2.13.0+cpu"}},
        }
        real.append("environment", {"digest": f"sha256:{digest}", "facts": facts})
    data = _texts(root)
    rng = random.Random(1)
    for number in range(RUNS):
        rehearsal = number % 5 == 4
        _run(rehearsals if rehearsal else real, number, "rehearsal" if rehearsal else "real", data, rng)
    real.append(
        "note", {"run": None, "experiment": "exp1", "text": "a <b>lesson</b> & more", "who": "김민지"}
    )
    real.append("skip", {"experiment": "exp99", "why": "measured with exp1", "who": "김민지"})
    (root / "experiments" / "exp99.yaml").write_text("title: never\n", encoding="utf-8")
    counts = {"right": 18, "partly": 22, "wrong": 10}
    rated = {"run": "exp0-000000", "experiment": "exp0", "who": "김민지", "of": 1000, "counts": counts}
    real.append("rating", {**rated, "judged": []})
    return workspace


def _texts(root: Path) -> dict[str, dict[str, object]]:
    source, output = zip(*((one.ko, one.ja) for one in pairs(64)), strict=True)
    lines = {"in.ko": list(source), "out.ja": [BROKEN.get(n, line) for n, line in enumerate(output)]}
    for name, text in lines.items():
        (root / name).write_text("".join(f"{line}\n" for line in text), encoding="utf-8")
    return {name: {"path": name, "lines": 64, **digest_file(root / name)} for name in lines}


def _run(journal, number, mode, data, rng):
    experiment = f"exp{number % 12}"
    head = {"run": f"{experiment}-{number:06x}", "experiment": experiment, "mode": mode}
    digest = ENVIRONMENTS["4.57.6" if number < RUNS // 2 else "5.0.0"]
    spec = {"languages": {"source": "ko", "target": "ja"}}
    begun = {"title": "mBART-50 with its own language codes", "environment": f"sha256:{digest}", "spec": spec}
    journal.append("run.started", {**head, **begun, "data": {"source": data["in.ko"], "reference": None}})
    verdict = rng.choice(["pass", "pass", "fail", "inconclusive"])
    message = "4 of 64 lines repeat themselves: 6.25%, at most 1.00% allowed"
    failing = {"code": "TXT001", "severity": "error", "message": message}
    bleu, rate = rng.uniform(0, 40), rng.uniform(0, 0.2)
    done = {
        "status": "finished",
        "verdict": verdict,
        "seconds": 100.0,
        "report": {"findings": [failing] if verdict == "fail" else [], "skips": [], "passed": []},
        "metrics": {"bleu": {"value": bleu, "signature": SIGNATURE, "scale": [0, 100]}},
        "rates": {"TXT001": rate, "TXT003": 0.0},
        "output": data["out.ja"],
    }
    if number % 12 == 0:  # a training
        rows = [_save(step, rng) for step in range(10, 110, 10)]
        done = {**done, "output": {"path": "out"}, "checkpoints": rows, "rates": {}}
    journal.append("run.finished", {**head, **done})


def _save(step, rng):
    bleu = min(98.0, step * rng.uniform(0.8, 1.0))
    broken = step == 60
    reloaded = 0.01 if broken else bleu
    return {"step": step, "memory": bleu, "reloaded": reloaded, "verdict": "fail" if broken else "pass"}


@pytest.fixture(scope="session")
def written(many: Workspace, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The report of that repository in both languages."""
    folder = tmp_path_factory.mktemp("reports")
    found = {}
    for language in ("en", "ja"):
        found[language] = folder / f"{language}.html"
        command = ["report", "--lang", language, "--out", str(found[language])]
        done = run_ledger(*command, "--compare", "exp1", "exp2", "--json", cwd=many.root)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["bytes"] == found[language].stat().st_size
    return found


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """A real browser."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed (Debian: apt install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield started
        started.close()
