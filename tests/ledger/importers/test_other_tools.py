"""Records of tools in their own forms.

tests/data/imports holds what TensorBoard and Trackio wrote; the logs of fairseq and Marian and the results of
lm-eval are in the forms that these document.
"""

import json
import math
import shutil
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import LedgerError
from ledger.importers.registry import READERS, read_source
from ledger.importers.tensorboard import events

DATA = Path(__file__).parents[2] / "data" / "imports"
EVENTS = DATA / "tensorboard" / "runs" / "Feb03_10-00-00_host" / "events.out.tfevents.1770000000.host.1.0"


def one(path, kind=None):
    (run,) = read_source(path, kind).runs
    return run


def points(run):
    return {name: [(point.step, point.value) for point in each] for name, each in run.series.items()}


@pytest.mark.parametrize("source", [EVENTS, EVENTS.parent, DATA / "tensorboard"])
def test_event_files_have_scalars_and_the_trainers_arguments(source):
    run = one(source)
    assert run.experiment == "Feb03_10-00-00_host"
    found = points(run)
    assert found["eval/bleu"] == [(20, 12.5)]
    assert found["train/loss"][:2] == [(10, 4.0), (20, 3.0)]
    assert math.isnan(found["train/loss"][2][1])
    assert (run.params["learning_rate"], run.params["model_config.d_model"]) == (1e-4, 64)
    assert "x" not in found, "a histogram is no scalar"


def test_a_damaged_event_file_gives_what_is_before_the_damage(tmp_path):
    data = EVENTS.read_bytes()
    path = tmp_path / EVENTS.name
    path.write_bytes(data[:-400])
    claimed = read_source(tmp_path)
    assert claimed.runs
    assert "ends in the middle of a record" in claimed.problems[0]
    path.write_bytes(b"x" * 100)
    with pytest.raises(LedgerError, match="not an event file"):
        read_source(tmp_path)


@settings(max_examples=50)
@given(st.binary(max_size=80), st.integers(0, 900))
def test_no_bytes_break_the_reader_of_events(junk, at):
    data = EVENTS.read_bytes()
    try:
        for _ in events(data[:at] + junk + data[at:]):
            pass
    except ValueError:
        pass


@pytest.fixture
def trackio(tmp_path):
    path = tmp_path / "mt.db"
    with sqlite3.connect(path) as connection:
        connection.executescript((DATA / "trackio.sql").read_text())
    connection.close()
    return path


def test_the_database_of_trackio_has_its_runs(trackio):
    claimed = read_source(trackio)
    assert claimed.kind == "trackio"
    assert [run.experiment for run in claimed.runs] == ["warm-sun-1", "cold-sky-2"]
    good, bad = claimed.runs
    assert (good.params, good.model) == ({"lr": 1e-4, "model": "NLLB"}, "NLLB")
    assert points(good)["bleu"] == [(0, 10.0), (1, 11.0), (2, 12.0)]
    assert math.isnan(bad.metrics["train/loss"])


def test_the_database_of_an_older_trackio_knows_runs_by_name(tmp_path):
    with sqlite3.connect(tmp_path / "old.db") as connection:
        connection.execute(
            "CREATE TABLE metrics (id INTEGER, timestamp TEXT, run_name TEXT, step INTEGER, metrics TEXT)"
        )
        rows = [("a", 0, '{"loss": 1.5}'), ("a", 1, "{"), ("b", 0, '{"loss": "Infinity"}')]
        connection.executemany("INSERT INTO metrics VALUES (0, '', ?, ?, ?)", rows)
    connection.close()
    claimed = read_source(tmp_path / "old.db")
    assert [(run.experiment, run.metrics) for run in claimed.runs] == [
        ("a", {"loss": 1.5}),
        ("b", {"loss": math.inf}),
    ]
    assert claimed.problems == ("row 2 of metrics is not readable",)


TABLES = {
    "runs.csv": "run,lr,beams,bleu,status\nexp1,0.0001,5,21.3,finished\nexp2,0.001,5,nan,crashed\n",
    "runs.tsv": "Run\tlr\tbeams\tBLEU\tStatus\nexp1\t0.0001\t5\t21.3\tdone\nexp2\t1e-3\t5\tNaN\tfailed\n",
    "semicolon.csv": "name;lr;beams;bleu;state\nexp1;0.0001;5;21.3;finished\nexp2;0.001;5;nan;killed\n",
    "export.csv": '\ufeff"Name","State","Created","lr","beams","eval/bleu"\n'
    '"exp1","finished","2026-02-03T10:00:00.000Z","0.0001","5","21.3"\n'
    '"exp2","crashed","2026-02-03T11:00:00.000Z","0.001","5","NaN"\n',
    "runs.jsonl": '{"run": "exp1", "config": {"lr": 0.0001, "beams": 5}, "summary": {"bleu": 21.3}, '
    '"state": "finished"}\n'
    '{"run": "exp2", "config": {"lr": 0.001, "beams": 5}, "summary": {"bleu": NaN}, "state": "crashed"}\n',
    "runs.json": '[{"id": "exp1", "params": {"lr": 0.0001, "beams": 5}, "metrics": {"bleu": 21.3}, '
    '"state": "ok"},'
    ' {"id": "exp2", "params": {"lr": 0.001, "beams": 5}, "metrics": {"bleu": "nan"}, "state": "error"}]',
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_a_run_in_each_row(name, tmp_path):
    (tmp_path / name).write_text(TABLES[name], encoding="utf-8")
    good, bad = read_source(tmp_path / name).runs
    assert (good.experiment, good.outcome) == ("exp1", "completed")
    assert (bad.experiment, bad.outcome) == ("exp2", "failed")
    assert (good.params, bad.params) == ({"lr": 0.0001, "beams": 5}, {"lr": 0.001, "beams": 5})
    assert list(good.metrics.values()) == [21.3]
    assert math.isnan(*bad.metrics.values())


STEPS = {
    "mt.csv": "step,loss,lr\n10,3.5,0.1\n20,nan,0.1\n",
    "mt.jsonl": '{"step": 10, "loss": 3.5, "lr": 0.1}\n{"step": 20, "loss": NaN, "lr": 0.1}\n',
    "named.csv": "run,step,loss,lr\nmt,10,3.5,0.1\nmt,20,nan,0.1\n",
}


@pytest.mark.parametrize("name", STEPS)
def test_a_table_may_have_a_step_in_each_row(name, tmp_path):
    (tmp_path / name).write_text(STEPS[name])
    run = one(tmp_path / name)
    assert run.experiment == "mt"
    (first, second) = points(run)["loss"]
    assert (first, second[0], math.isnan(second[1])) == ((10, 3.5), 20, True)


def test_rows_that_cannot_be_read_are_listed(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"run": "a", "bleu": 1}\n{"run":\n[1]\n')
    claimed = read_source(tmp_path / "a.jsonl")
    assert claimed.problems == ("line 2 is not a JSON object", "line 3 is not a JSON object")
    (tmp_path / "b.csv").write_text("a,b\n1,2\n")
    with pytest.raises(LedgerError, match="without a column that names runs"):
        read_source(tmp_path / "b.csv")
    with pytest.raises(LedgerError, match="is not a table"):
        read_source(tmp_path / "b.csv", "table")


@pytest.mark.parametrize("name", ["fairseq-json", "fairseq-simple"])
def test_a_log_of_fairseq_has_both_series_and_the_arguments(name):
    run = one(DATA / f"{name}.log")
    assert (run.experiment, run.outcome, run.facts["tool"]) == (name, "completed", "fairseq")
    found = points(run)
    assert (found["valid_loss"], found["valid_bleu"]) == ([(100, 8.0)], [(100, 3.2)])
    assert found["train_loss"][0] == (100, 9.1)
    assert math.isnan(found["train_loss"][1][1])
    assert [value for name, value in run.params.items() if name.endswith("lr")] == [[0.0005]]
    assert "train_wall" not in found


def test_marians_two_logs_in_one_folder_are_one_run(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    lines = (DATA / "marian.log").read_text().splitlines()
    for name, is_valid in (("train", False), ("valid", True)):
        chosen = [line for line in lines if ("[valid]" in line) is is_valid]
        (folder / f"{name}.log").write_text("\n".join(chosen))
    run = one(folder)
    assert (run.experiment, run.outcome, run.facts["steps"]) == ("model", "completed", 1000)
    assert run.params == {"beam-size": 6, "early-stopping-on": "first", "learn-rate": 0.0003}
    found = points(run)
    assert found["train_loss"][0] == (500, 8.5)
    assert math.isnan(found["train_loss"][1][1])
    assert found["valid_bleu-detok"] == [(1000, 12.31)]
    assert (found["grad_norm"], found["learning_rate"]) == ([(500, 1.5)], [(500, 1.5e-4)])


def test_results_of_lm_eval(tmp_path):
    content = {
        "results": {
            "wmt16-ro-en": {"alias": "wmt16-ro-en", "bleu,none": 21.3, "bleu_stderr,none": "N/A"},
            "gsm8k": {"exact_match,strict-match": 0.25, "exact_match_stderr,strict-match": float("nan")},
        },
        "config": {"model": "hf", "model_args": "pretrained=mt", "batch_size": 8},
        "n-shot": {"gsm8k": 5}, "git_hash": "f00", "date": 1770000000.0, "model_name": "mt/one",
        "transformers_version": "4.57.6", "lm_eval_version": "0.4.9",
    }  # fmt: skip
    folder = tmp_path / "mt__one"
    folder.mkdir()
    (folder / "results_2026-02-03T10-00-00.json").write_text(json.dumps(content))
    run = one(tmp_path)
    assert (run.experiment, run.outcome) == ("mt/one", "completed")
    assert run.metrics["wmt16-ro-en/bleu"] == 21.3
    assert run.metrics["gsm8k/exact_match,strict-match"] == 0.25
    assert math.isnan(run.metrics["gsm8k/exact_match_stderr,strict-match"])
    assert run.params["batch_size"] == 8
    assert run.environment == {"transformers_version": "4.57.6", "lm_eval_version": "0.4.9"}


@pytest.mark.parametrize("nested", [True, False])
def test_the_files_of_an_online_run_of_wandb(nested, tmp_path):
    folder = tmp_path / "run-20260203_170000-80s3lwwk" / "files" if nested else tmp_path / "mt"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text("lr:\n  value: 0.0001\n_wandb:\n  value: {}\n")
    (folder / "wandb-summary.json").write_text('{"loss": "NaN", "bleu": 21.3, "_step": 19, "_runtime": 12}')
    (folder / "wandb-metadata.json").write_text('{"python": "CPython 3.11.7", "program": "train.py"}')
    (folder / "requirements.txt").write_text("transformers==4.40.0\n")
    run = one(tmp_path if nested else folder)
    assert run.experiment == ("80s3lwwk" if nested else "mt")
    assert (run.params, run.metrics["bleu"]) == ({"lr": 0.0001}, 21.3)
    assert math.isnan(run.metrics["loss"])
    assert run.facts == {"program": "train.py", "seconds": 12, "steps": 19}
    assert run.environment == {"python": "CPython 3.11.7", "packages": {"transformers": "4.40.0"}}


def test_runs_of_sacred(tmp_path):
    (tmp_path / "1").mkdir()
    for name, content in {
        "run": {"status": "FAILED", "experiment": {"name": "mt"}, "start_time": "2026-02-03T10:00:00"},
        "config": {"lr": 1e-4},
        "metrics": {"loss": {"steps": [1, 2], "values": [3.0, float("nan")]}},
    }.items():
        (tmp_path / "1" / f"{name}.json").write_text(json.dumps(content))
    run = one(tmp_path)
    assert (run.experiment, run.outcome, run.params) == ("mt-1", "failed", {"lr": 1e-4})
    assert math.isnan(run.metrics["loss"])


@pytest.mark.parametrize("inside", [True, False])
def test_the_files_of_dvc(inside, tmp_path):
    plots = tmp_path / "mt" / "dvclive" / "plots" / "metrics" / "eval"
    plots.mkdir(parents=True)
    (tmp_path / "mt" / "params.yaml").write_text("train: {lr: 0.0001}\n")
    (tmp_path / "mt" / "dvclive" / "metrics.json").write_text('{"eval": {"bleu": 21.3}, "step": 2}')
    (plots / "bleu.tsv").write_text("step\tbleu\n1\t10\n2\t21.3\n")
    run = one(tmp_path / "mt" / ("dvclive" if inside else ""))
    assert (run.experiment, run.params, run.facts) == ("mt", {"train.lr": 0.0001}, {"steps": 2})
    assert points(run) == {"eval/bleu": [(1, 10.0), (2, 21.3)]}


@pytest.mark.parametrize("kind", [kind for kind in READERS if kind not in ("markdown", "mlflow")])
def test_every_reader_refuses_what_is_not_its_kind(kind, tmp_path):
    (tmp_path / "a.bin").write_bytes(b"\x00\xff")
    for source in (tmp_path, tmp_path / "a.bin"):
        with pytest.raises(LedgerError) as raised:
            read_source(source, kind)
        assert raised.value.hint


def test_damaged_files_are_one_message(tmp_path):
    for name, kind in (("results.json", "lm-eval"), ("a.csv", "table"), ("a.jsonl", "table")):
        (tmp_path / name).write_bytes(b"\xff\xfe{\x00")
        with pytest.raises(LedgerError, match="can be read"):
            read_source(tmp_path / name, kind)
    shutil.copy(EVENTS, tmp_path / "a.db")
    with pytest.raises(LedgerError, match="not a database of Trackio"):
        read_source(tmp_path / "a.db", "trackio")
