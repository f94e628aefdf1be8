"""The Trainer's, Lightning's and MLflow's folders, really written by them, then damaged."""

import shutil
import sqlite3
from contextlib import closing
from math import isnan

import pytest

from ledger.errors import LedgerError
from ledger.importers import huggingface, lightning, mlflow_store


@pytest.fixture
def trained(written, tmp_path):
    return shutil.copytree(written("huggingface") / "marian-ko-ja", tmp_path / "marian-ko-ja")


def test_a_trainers_folder(trained):
    claimed = huggingface.read(trained)
    (run,) = claimed.runs
    assert (run.experiment, run.outcome) == ("marian-ko-ja", "completed")
    assert run.facts["steps"] == 4
    assert run.facts["checkpoints"] == ["checkpoint-2", "checkpoint-4"]
    assert run.params["max_steps"] == 4
    assert run.params["model"]["d_model"] == 8
    assert run.params["generation"]["decoder_start_token_id"] == 0
    assert [point.step for point in run.series["loss"]] == [1, 2, 3, 4]
    assert [point.step for point in run.series["eval_loss"]] == [2, 4]
    assert run.metrics["train_loss"] > 0
    assert run.environment["packages"]["transformers"]
    assert not any(path.name == "training_args.bin" for path in claimed.files)
    assert any("was not read: it is a pickle" in one for one in claimed.problems)


def test_a_single_checkpoint_is_its_folders_run(trained):
    (run,) = huggingface.read(trained / "checkpoint-2").runs
    assert (run.experiment, run.facts["steps"], run.outcome) == ("marian-ko-ja", 2, None)


def test_a_truncated_state_is_told_and_the_other_one_read(trained):
    state = trained / "trainer_state.json"
    state.write_bytes(state.read_bytes()[:100])
    (trained / "config.json").write_text("[1]")
    claimed = huggingface.read(trained)
    assert claimed.runs[0].facts["steps"] == 4
    assert any("trainer_state.json: it is not JSON" in one for one in claimed.problems)
    assert any("config.json: it is not a mapping" in one for one in claimed.problems)
    shutil.rmtree(trained / "checkpoint-2")
    shutil.rmtree(trained / "checkpoint-4")
    with pytest.raises(LedgerError, match="can be read"):
        huggingface.read(trained)


@pytest.fixture
def logged(written, tmp_path):
    return shutil.copytree(written("lightning") / "lightning_logs", tmp_path / "t5" / "lightning_logs")


def test_lightnings_folder(logged):
    for source in (logged.parent, logged, logged / "version_0"):
        (run,) = lightning.read(source).runs
        assert run.experiment == "t5-version_0"
        assert run.model == "t5-large"
        assert run.params["learning_rate"] == 0.1
        assert [point.step for point in run.series["train_loss"]] == list(range(8))
        assert [point.step for point in run.series["val_corr"]] == [3, 7], "empty cells are no points"
        assert run.metrics["val_corr"] == 1.0


def test_a_row_that_was_cut_off_is_told(logged):
    metrics = logged / "version_0" / "metrics.csv"
    lines = metrics.read_bytes().rstrip().splitlines(keepends=True)
    metrics.write_bytes(b"".join(lines[:-1]) + b"1,")
    claimed = lightning.read(logged)
    assert claimed.problems == ("version_0/metrics.csv: line 11 is incomplete",)
    assert [point.step for point in claimed.runs[0].series["val_corr"]] == [3]


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff" * 50, b'a,step\n"' + b"x" * 200_000, b"step\n1\n", b"step,x\n1e999,2\n"]
)
def test_metrics_of_any_content_are_read_or_told(logged, content):
    (logged / "version_0" / "metrics.csv").write_bytes(content)
    assert lightning.read(logged).runs[0].params["learning_rate"] == 0.1


def test_hparams_execute_nothing(logged, tmp_path):
    trap = tmp_path / "trap"
    (logged / "version_0" / "hparams.yaml").write_text(
        f"a: !!python/object/apply:os.system ['touch {trap}']\nb: !Enum x\nc: 1\n"
    )
    (run,) = lightning.read(logged).runs
    assert not trap.exists()
    assert run.params["c"] == 1
    assert run.params["b"] == "x"


@pytest.fixture(scope="module")
def stores(written):
    return written("mlflow")


@pytest.mark.parametrize("name", ["mlruns", "mlflow.db"])
def test_both_of_mlflows_stores(stores, name):
    before = sorted(stores.rglob("*"))
    claimed = mlflow_store.read(stores / name)
    (run,) = claimed.runs
    assert claimed.problems == ()
    assert (run.experiment, run.title, run.outcome) == ("ko-ja", "first", "completed")
    assert run.model == "facebook/m2m100_418M"
    assert run.params == {"lr": 0.0003, "model": "facebook/m2m100_418M", "fp16": True}
    assert [(p.step, p.value) for p in run.series["loss"]] == [(0, 2.0), (1, 1.5), (2, 1.0)]
    assert run.metrics["loss"] == 1.0
    assert isnan(run.metrics["eval/bleu"]), "NaN stays NaN"
    assert sorted(stores.rglob("*")) == before, "the source stays as it is"


def test_a_damaged_run_in_a_file_store_is_told(stores, tmp_path):
    store = shutil.copytree(stores / "mlruns", tmp_path / "mlruns")
    (meta,) = (path for path in store.glob("*/*/meta.yaml") if "first" in path.read_text())
    twin = shutil.copytree(meta.parent, meta.parent.with_name("0" * 32))
    (twin / "meta.yaml").write_text("run_id: [")
    with (meta.parent / "metrics" / "loss").open("a") as series:
        series.write("1795339448")
    claimed = mlflow_store.read(store)
    assert [point.value for point in claimed.runs[0].series["loss"]] == [2.0, 1.5, 1.0]
    assert any(f"run {'0' * 32}: " in one for one in claimed.problems)
    assert any("loss ends in an incomplete line" in one for one in claimed.problems)


def test_a_damaged_database_is_told(stores, tmp_path):
    data = (stores / "mlflow.db").read_bytes()
    (tmp_path / "mlflow.db").write_bytes(data[:5000])
    assert mlflow_store.matches(tmp_path / "mlflow.db")
    with pytest.raises(LedgerError, match=r"damaged database|cannot open"):
        mlflow_store.read(tmp_path / "mlflow.db")


def test_the_database_of_a_newer_mlflow_names_both_versions(stores, tmp_path):
    path = tmp_path / "mlflow.db"
    path.write_bytes((stores / "mlflow.db").read_bytes())
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'ffff00000000'")
        connection.commit()
    with pytest.raises(
        LedgerError, match=r"newer MLflow than the installed \d.*schema ffff00000000"
    ) as raised:
        mlflow_store.read(path)
    assert "pip install --upgrade mlflow" in raised.value.hint


def test_another_database_is_not_mlflows(tmp_path):
    import sqlite3

    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE runs (x)")
    assert not mlflow_store.matches(tmp_path / "other.db")
    with pytest.raises(LedgerError, match="is not an MLflow store"):
        mlflow_store.read(tmp_path / "other.db")
