"""Written logs: the users' own two, one in other words, a clean one. Each contradiction, and no other."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guards.claims import GUARDS
from guards.guard import inspect
from ledger.errors import LedgerError
from ledger.evidence import Evidence
from ledger.evidence.imported_claims import Consistency
from ledger.importers import markdown_log
from ledger.importers.journal_form import claims_of
from ledger.importers.markdown_log.runs import claimed_runs
from ledger.utils.hashing import digest_json

DATA = Path(__file__).parents[2] / "data"
MT, T5, ENGLISH, CLEAN = (
    DATA / f"{name}.md" for name in ("mt-experiment-log", "t5-large-summary", "english-log", "clean-log")
)
MBART = "facebook/mbart-large-50-many-to-many-mmt"


def findings(text):
    log, _ = markdown_log.read_log(text)
    return inspect(GUARDS, Evidence(Consistency()), Evidence(log)).findings


def told(text):
    """Each finding as its code and the experiments that it names."""
    return {(f.code, *f.evidence["experiments"]) for f in findings(text)}


@pytest.fixture(scope="module")
def runs():
    return {run.experiment: run for run in markdown_log.read(MT).runs}


def test_ten_experiments_in_the_order_of_their_numbers(runs):
    assert list(runs) == [f"exp{number}" for number in range(1, 11)]


@pytest.mark.parametrize(
    ("name", "model", "outcome"),
    [
        ("exp1", "facebook/nllb-200-3.3B", "failed"),
        ("exp2", "NLLB-200-3.3B", "skipped"),
        ("exp3", "NLLB-200-distilled-600M", "skipped"),
        ("exp4", MBART, "failed"),
        ("exp5", MBART, "succeeded"),
        ("exp6", "facebook/m2m100_1.2B", "failed"),
        ("exp7", MBART, "succeeded"),
        ("exp8", "facebook/mbart-large-cc25", "failed"),
        ("exp9", MBART, "failed"),
        ("exp10", "MarianMT", "running"),
    ],
)
def test_models_and_outcomes(runs, name, model, outcome):
    assert (runs[name].model, runs[name].outcome) == (model, outcome)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        (
            "exp1",
            {
                "src_lang": "ko (kor_Hang)",
                "tgt_lang": "ja (jpn_Jpan)",
                "batch_size": 40,
                "num_beams": 3,
                "max_length": None,
                "repetition_penalty": None,
            },
        ),
        ("exp2", {"repetition_penalty": 1.2, "num_beams": 1, "max_length": 128}),
        ("exp3", {}),
        (
            "exp4",
            {
                "src_lang": "ko",
                "tgt_lang": "ja",
                "batch_size": 20,
                "num_beams": 3,
                "max_length": 128,
                "repetition_penalty": 1.0,
            },
        ),
        (
            "exp5",
            {
                "src_lang": "ko_KR",
                "tgt_lang": "ja_XX",
                "batch_size": 20,
                "num_beams": 3,
                "max_length": 128,
                "do_sample": False,
                "repetition_penalty": 2.0,
                "length_penalty": 0.5,
                "early_stopping": True,
                "precision": "16-bit (float16)",
            },
        ),
        (
            "exp6",
            {
                "src_lang": "ko",
                "tgt_lang": "ja",
                "batch_size": 20,
                "num_beams": 3,
                "max_length": 128,
                "repetition_penalty": 1.5,
                "length_penalty": 0.5,
                "fp16": True,
            },
        ),
        ("exp7", {"src_lang": "ko_KR", "tgt_lang": "ja_XX", "batch_size": 20, "num_beams": 3}),
        ("exp8", {"src_lang": "ko_KR", "tgt_lang": "ja_XX", "batch_size": 20, "num_beams": 3}),
        (
            "exp9",
            {
                "src_lang": "ko_KR",
                "tgt_lang": "ja_XX",
                "batch_size": 20,
                "num_beams": 5,
                "repetition_penalty": 1.7,
            },
        ),
        ("exp10", {"learning_rate": 0.0003, "epochs": 10, "total_steps": 21370}),
    ],
)
def test_parameters_as_stated(runs, name, params):
    assert runs[name].params == params


@pytest.mark.parametrize(
    ("name", "rates"),
    [
        ("exp1", {"failed": 0.175}),
        ("exp4", {"failed": 0.012, "english": 0.747}),
        ("exp5", {"failed": 0.006, "english": 0.09, "repeating": 0.0}),
        ("exp6", {}),
        (
            "exp7",
            {
                "english": 0.119,
                "repeating": 0.005,
                "empty": 0.0,
                "failed": 0.006,
                "usable": 0.8,
                "right": 0.36,
                "partly_usable": 0.44,
            },
        ),
        ("exp8", {"failed": 0.985}),
        ("exp9", {"english": 0.143, "repeating": 0.007, "identical": 0.66, "different": 0.34}),
    ],
)
def test_rates_as_stated(runs, name, rates):
    assert runs[name].rates == pytest.approx(rates)


def test_what_else_is_said(runs):
    assert runs["exp6"].facts["seconds"] == 9 * 60 + 13
    assert runs["exp6"].facts["roughly"] == {"failed": "~100%"}
    assert runs["exp1"].facts["time"] == "2026-02-03 14:30"
    assert runs["exp1"].facts["lines"] == 1000
    assert "効果なし" in runs["exp2"].facts["why"]
    assert runs["exp5"].facts["same_output_as"] == ["exp7"]
    assert runs["exp7"].facts["same_output_as"] == ["exp5"]
    assert "使用不可" in runs["exp1"].facts["verdict"]


def test_a_section_that_stands_there_three_times_is_one_run(runs):
    assert runs["exp6"].where == "lines 239, 271, 310"
    assert len(runs["exp6"].facts["conclusions"]) == len(set(runs["exp6"].facts["conclusions"]))


def test_attempts_of_one_experiment_are_kept_apart(runs):
    attempts = runs["exp10"].facts["attempts"]
    versions = [one.get("transformers") for one in attempts.values()]
    assert versions == ["5.0.0", "4.57.6", "5.0.0", "4.57.6", None]
    assert [one.get("batch_size") for one in attempts.values()] == [96, 128, 96, 128, None]


AFTER_IT = "length_penalty: 0.5\n```\n\n**データ:**"
# Every contradiction in the log, and an edit of one or two lines that would mend it.
MENDED = {
    ("CLM001", "exp6"): [(f"repetition_penalty: 2.0\n{AFTER_IT}", f"repetition_penalty: 1.5\n{AFTER_IT}")],
    ("CLM001", "exp5"): [
        ("| 英語混入 | 11.9% |", "| 英語混入 | 9% |"),
        ("| 繰り返し | 0.5% |", "| 繰り返し | 0% |"),
    ],
    ("CLM002", "exp7", "exp5"): [("完全一致（MD5ハッシュ同一）", "似た出力")],
    ("CLM005", "exp10"): [("Step 784 でクラッシュ", "Step 7840 でクラッシュ")],
    ("CLM006", "exp10"): [("BLEU: 0.22 (22%?)", "BLEU: 22"), ("BLEU 0.22 を記録", "BLEU 22 を記録")],
    ("CLM007", "exp4"): [
        ("- 生成完了: 1000/1000件\n- FAILED: 12件", "- 生成完了: 900/1000件\n- FAILED: 12件")
    ],
    ("CLM008", "exp4"): [("### Experiment 4: MarianMT", "### Experiment 14: MarianMT")],
    ("CLM008", "exp5"): [("### Experiment 5: 直接学習", "### Experiment 15: 直接学習")],
    ("CLM009", "exp4"): [("| 英語出力 | 74.7% |", "| 英語出力 | 1.2% |")],
    ("CLM010", "exp10"): [("データセットが異なるため完全一致はしないが、", "")],
}


def test_every_contradiction_in_the_log_is_found_and_no_other():
    assert told(MT.read_text(encoding="utf-8")) == set(MENDED)


@pytest.mark.parametrize("finding", MENDED, ids=" ".join)
def test_mending_one_contradiction_silences_its_finding_and_no_other(finding):
    text = MT.read_text(encoding="utf-8")
    for before, after in MENDED[finding]:
        assert text.count(before) == 1
        text = text.replace(before, after)
    assert told(text) == set(MENDED) - {finding}


def test_the_mean_of_the_t5_summary():
    (finding,) = findings(T5.read_text(encoding="utf-8"))
    assert finding.code == "CLM004"
    assert finding.measured == 0.008066
    assert finding.threshold == pytest.approx(0.01398, abs=1e-5)


def test_the_t5_summary_names_three_versions():
    runs = {run.experiment: run for run in markdown_log.read(T5).runs}
    assert list(runs) == ["v56", "v57", "v58"]
    assert runs["v56"].params == {
        "t5_lr_top": 5e-6,
        "base_lr": 2e-5,
        "gradient_clip": 0.008,
        "precision": 32,
        "epochs": 6,
    }
    assert runs["v56"].metrics["H1"] == 0.033896
    assert runs["v58"].params["gradient_clip"] == 0.012
    assert [run.outcome for run in runs.values()] == [None, "running", "running"]


def test_a_log_in_other_words_has_one_of_each():
    assert told(ENGLISH.read_text(encoding="utf-8")) == {
        ("CLM001", "trial3"),
        ("CLM002", "trial2", "trial1"),
        ("CLM003", "trial2"),
        ("CLM004", "trial4"),
        ("CLM005", "trial4"),
        ("CLM006", "trial4"),
        ("CLM007", "trial3"),
        ("CLM008", "trial4"),
        ("CLM009", "trial3"),
        ("CLM010", "trial4"),
    }


def test_what_the_log_in_other_words_claims():
    runs = {run.experiment: run for run in markdown_log.read(ENGLISH).runs}
    assert list(runs) == ["trial1", "trial2", "trial3", "trial4", "trial5"]
    assert runs["trial1"].params == {"batch_size": 32, "beam_size": 4, "length_penalty": 1.0}
    assert runs["trial1"].metrics == {"bleu": 27.4, "chrf": 54.9}
    assert runs["trial3"].model == "facebook/m2m100_418M"
    assert runs["trial4"].model == "Helsinki-NLP/opus-mt-de-nl", "not that of the plan of the same number"
    assert runs["trial5"].outcome == "planned"


def test_a_clean_log_has_none():
    assert told(CLEAN.read_text(encoding="utf-8")) == set()
    runs = {run.experiment: run for run in markdown_log.read(CLEAN).runs}
    assert [run.outcome for run in runs.values()] == ["succeeded", "failed", "succeeded", "succeeded"]
    assert runs["exp3"].params["batch_size"] == 64
    assert runs["exp4"].metrics == {"bleu": 31.9}


@pytest.mark.parametrize(
    "body",
    [
        "Parameters: num_beams=3\n\n### Next steps\n- Parameters: num_beams=5",
        "### train.yaml\n```yaml\nbatch_size: 32\n```\n### eval.yaml\n```yaml\nbatch_size: 64\n```",
        "### Training\nSettings: batch_size=64\n### Generation\nSettings: batch_size=20",
        "```yaml\noptimizer:\n  lr: 1\nscheduler:\n  lr: 2\n```",
        "Settings: max_length=(default)\n\n- max_length: 128",
        "- English: 9% → 11.9%\n\n| | Exp 1 |\n|---|---|\n| English | 11.9% |",
        "- English: 5-10%\n\n| | Exp 1 |\n|---|---|\n| English | 7% |",
        "- Lines with English: 9%\n- English words: 30%",
        "- English: about 12% (119/1000)",
        "- BLEU: 27.4\n- BLEU up 0.4, BLEU +0.3",
        "- BLEU (13a, lowercased): 27.4\n- BLEU 20-25 is usual",
        "- BLEU: 27.4\n- checkpoint-10: BLEU 0.02",
        "Crashed at step 100.\n\nThe older run's checkpoint-900 is better.",
        "Crashed at step 100.\n\nIf it dies again, take checkpoint-900.",
        "Crashed at step 100, resumed.\n\ncheckpoint-900: BLEU 20",
        "No space left on device.\n\nAfter clearing the cache it went through.\n\n- Generated: 1000/1000",
        "If it could not be loaded, use fp16.\n\n- Generated: 1000/1000",
        "Result: failed\n\nResult after the fix: success",
        "Not identical to Experiment 2's output (MD5).\n- English: 5%\n## Experiment 2\n- English: 9%",
        "Evaluated on other data.\n### First try\n- Train set: 5,000\n### Second try\n- Train set: 5,000",
        "- dropout: 0.10\n- warmup: 0.06\n- smoothing: 0.20\n- average length: 12.50",
        "- a: 1\n- b: 2\n- c: 30\n- mean: 5",
    ],
)
def test_what_only_looks_like_a_contradiction(body):
    assert told(f"## Experiment 1: a model\n\n{body}\n") == set()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("Parameters: num_beams=3\n\n### Again\n- Parameters: num_beams=5", "CLM001"),
        ("### Settings\n```yaml\nlr: 1\n```\n### Config\n```yaml\nlr: 2\n```", "CLM001"),
        ("- English: 9% → 11.9%\n\n| | Exp 1 |\n|---|---|\n| English | 9% |", "CLM001"),
        ("- English: 12% (119/1000)\n- Empty: 13% (119/1000)", "CLM003"),
        ("- BLEU: 27.4\n- dev BLEU: 0.3", "CLM006"),
        ("Crashed at step 100.\n\ncheckpoint-900 is better.", "CLM005"),
        ("Killed at step 100.\n\nBLEU 20 at step 900", "CLM005"),
        ("No space left on device.\n\n- Generated: 1000/1000", "CLM007"),
        ("Result: failed\n\nResult: success", "CLM007"),
        (
            "Output identical to Experiment 2's (MD5).\n- English: 5%\n## Experiment 2\n- English: 9%",
            "CLM002",
        ),
        (
            "Trained on other data.\n### First try\n- Train set: 5,000\n### Second try\n- Train set: 5,000",
            "CLM010",
        ),
        ("Dropout\n- a: 0.10\n- b: 0.06\n- c: 0.20\n- average dropout: 12.50", "CLM004"),
        ("- a: 0.10\n- b: 0.06\n- c: 0.20\n\nMean: 12.50", "CLM004"),
    ],
)
def test_its_twin_that_is_one(body, code):
    assert {found[0] for found in told(f"## Experiment 1: a model\n\n{body}\n")} == {code}


@pytest.mark.parametrize(
    ("body", "outcome", "metrics"),
    [
        ("**Result:** loss NaN at step 20\n- BLEU: nan\n- chrF: 0", "failed", {"loss", "bleu", "chrf"}),
        ("- Result: diverged, the loss went to inf", "failed", {"loss"}),
        ("- 結果: 損失がNaN", "failed", {"loss"}),
        ("- eval loss = -Infinity", None, {"eval_loss"}),
        ("- Result: success, no NaN this time\n- BLEU: 21.3", "succeeded", {"bleu"}),
        ("- Result: no NaN this time\n- info: 3", None, set()),
        ("| BLEU | nan |\n|---|---|\n| chrF | nan |", None, {"chrf"}),
    ],
)
def test_nan_and_infinity_are_values_and_a_loss_of_nan_is_a_failure(body, outcome, metrics):
    (run,) = claimed_runs(*markdown_log.read_log(f"## Experiment 1: a model\n\n{body}\n"))
    assert (run.outcome, set(run.metrics)) == (outcome, metrics)


def test_a_missing_score_in_a_table_of_runs_is_none():
    text = "## Results\n\n| run | BLEU |\n|---|---|\n| Exp 1 | 21.3 |\n| Exp 2 | nan |\n"
    assert [run.metrics for run in claimed_runs(*markdown_log.read_log(text))] == [{"bleu": 21.3}]


def test_a_mean_in_a_tables_last_row():
    rows = "| law | 30.0 | 1.5 |\n| news | 20.0 | 2.5 |\n| film | 10.0 | 3.5 |\n| Average | 25.0 | 2.5 |\n"
    (finding,) = findings(f"## Experiment 1\n\n| domain | BLEU | loss |\n|---|---|---|\n{rows}")
    assert (finding.code, finding.measured, finding.threshold) == ("CLM004", 25.0, 20.0)


def test_a_document_without_experiments_says_what_is_looked_for(tmp_path):
    path = tmp_path / "todo.md"
    path.write_text("# Shopping\n- milk\n")
    with pytest.raises(LedgerError, match="names no experiment") as error:
        markdown_log.read(path)
    assert "Experiment 5" in error.value.hint


PIECES = st.sampled_from(
    [
        "# Experiment 1: a\n",
        "## Exp 2 & 3\n",
        "### Results\n",
        "実験4\n",
        "- x: 5%\n",
        "```yaml\n",
        "```\n",
        "| a | b |\n",
        "|---|---|\n",
        "| Exp 1 | 5% |\n",
        "batch_size: 1e999\n",
        "- mean: 1.0\n",
        "Step 5 crash\n",
        "checkpoint-99999999\n",
        "BLEU 0.2\n",
        "BLEU: nan, loss inf\n",
        "- Result: loss NaN at step 20\n",
        "- 3 of 0 lines (5%)\n",
        "identical to Exp 1, MD5\n",
        "\n",
        "  - nested\n",
        "**Model:**\n",
        "> quote\n",
        "different data than Exp 1\n",
        "Train: 1,000\n",
        "train_samples_per_second: 5\n",
        "Epochs: 0\n",
        "所要時間: 5秒\n",
        "checkpoint-" + "9" * 500 + "\n",
        "- x: " + "9" * 500 + " of " + "9" * 500 + " lines (" + "9" * 400 + "%)\n",
        "Crash at step " + "9" * 500 + "\n",
        "- a: " + "9" * 500 + ".0\n- mean: " + "9" * 400 + ".0\n",
    ]
)


@settings(max_examples=200)
@given(st.lists(st.one_of(PIECES, st.text(max_size=20)), max_size=25).map("".join))
def test_any_text_is_read_and_guarded_and_can_be_recorded(text):
    findings(text)
    for run in claimed_runs(*markdown_log.read_log(text)):
        digest_json(claims_of(run))


@pytest.mark.parametrize(
    "line", ["1," * 50_000, "→ " * 50_000, "5% " * 30_000, "(" * 5_000, "> " * 500, "5 of 5 " * 9_000]
)
def test_a_very_long_line_is_read_in_part(line):
    assert findings(f"## Experiment 1\n- english: {line}\n```\n{line}\n```\n| {line} | {line} |\n") == ()
