"""Sound models that somebody else published: no evidence, and `--lang` says only what the text is.

Each passes, with the BLEU that anybody gets who loads it with transformers and translates the same lines.
"""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.commands.verify.verify import verify_checkpoint
from ledger.environments.lockfile import find
from ledger.evaluation.scoring import score
from ledger.findings import Verdict
from runners.environments.build import built, default_cache
from runners.host.verification import ReloadOptions
from runners.host.worker_process import Worker
from runners.rehearsal.text import pairs
from tests.conftest import ROOT, make_once
from tests.faults.conftest import GOOD, LINES, MAKER

# Folder -> its family. A pretrained mBART-cc25 that was fine-tuned has the architecture `mbart`.
MODELS = {
    "marian": "marian",
    "marian-bilingual": "marian",
    "mbart50": "mbart50",
    "mbart": "mbart",
    "nllb": "nllb",
    "m2m100": "m2m100",
    "t5": "t5",
}
OTHERS = ("marian-bilingual", "mbart")  # that no other test needs
PREFIX = "translate Korean to Japanese:"
WRONG = {
    "mbart50": "ja",
    "mbart": "ja",
    "nllb": "ja_XX",
    "m2m100": "ja_XX",
    "marian": "ja",
    "marian-bilingual": "jpn",
}


def maker(job, orders, python=sys.executable):
    command = [str(python), str(MAKER), job]
    done = subprocess.run(command, input=json.dumps(orders), text=True, check=True, stdout=subprocess.PIPE)
    return done.stdout


@pytest.fixture(scope="module")
def published(good, tmp_path_factory):
    """A folder of the models, as somebody would download them: without the training's files."""

    def make(root):
        orders = [
            {
                "folder": str(root / "made" / name),
                "family": MODELS[name],
                "triples": pairs(LINES),
                "steps": [GOOD],
                "seed": 10,
                "bilingual": name == "marian-bilingual",
            }
            for name in OTHERS
        ]
        maker("save", orders)
        for name in MODELS:
            made = (root / "made" if name in OTHERS else good) / name / f"checkpoint-{GOOD}"
            shutil.copytree(made, root / name, ignore=shutil.ignore_patterns("ledger", "trainer_state.json"))

    return make_once(tmp_path_factory, "published", make)


def environments():
    yield pytest.param(None, id="4.57.6")
    yield pytest.param("mt-5-latest", marks=pytest.mark.slow, id="5.x")


@pytest.fixture(scope="module", params=environments())
def python(request):
    if request.param is None:
        return Path(sys.executable)
    found = built(find(request.param, ROOT / "lockfiles"), default_cache())
    return found or pytest.skip(f"the environment is not built here: ledger env build {request.param}")


@pytest.fixture(scope="module")
def reloader(python, worker, tmp_path_factory):
    """A worker of this interpreter."""
    if python == worker.interpreter:
        yield worker
        return
    with Worker(python, tmp_path_factory.mktemp("other") / "worker.log") as other:
        yield other


@pytest.fixture(scope="module")
def plain(published, python):
    """What plain transformers makes of the lines, by the model's name."""
    source = [row[0] for row in pairs(LINES)]
    orders = [
        {
            "folder": str(published / name),
            "family": family,
            "source": source,
            "bilingual": "bilingual" in name,
        }
        for name, family in MODELS.items()
    ]
    return dict(zip(MODELS, json.loads(maker("translate", orders, python)), strict=True))


def verify(setting, worker, folder, **options):
    text = pairs(LINES)
    asked = ReloadOptions(tuple(row[0] for row in text), tuple(row[1] for row in text), "ja", **options)
    return verify_checkpoint(worker, replace(setting, options=asked), folder)


@pytest.mark.parametrize("name", MODELS)
def test_a_sound_model_passes_and_scores_as_it_does_elsewhere(name, published, plain, reloader, setting):
    prefix = PREFIX if name == "t5" else None
    done = verify(setting, reloader, published / name, prefix=prefix)
    assert done.report.verdict is Verdict.PASS, done.report.findings
    assert done.levels == ("files", "reloaded", "text")
    answers = [row[1] for row in pairs(LINES)]
    assert done.reloaded.value == pytest.approx(score(plain[name], answers, "ja").bleu.value, abs=0.01)
    assert done.reloaded.value > (30 if name == "t5" else 90)


@pytest.mark.parametrize("name", WRONG)
def test_a_code_that_the_tokenizer_does_not_know_is_refused(name, published, worker, setting):
    done = verify(setting, worker, published / name, target_code=WRONG[name])
    assert {finding.code for finding in done.report.findings} == {"PRE002"}
    assert done.report.verdict is Verdict.FAIL
    assert done.result.codes is not None
