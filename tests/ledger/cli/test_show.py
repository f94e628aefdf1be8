import pytest


def test_shows_everything_that_is_recorded(recorded, ledger):
    answer = ledger("show", "exp7")
    assert answer.code == 0
    for fact in (
        "exp7-3fa91c", "pass", "412.5 s",
        "generation.repetition_penalty  2 ", "codes.target", "jpn_Jpan",
        "source.md5", "sha256:" + "4" * 16 + "…", "a" * 40, "max_length  128",
        "22.4", "of 0–100", "tok:ja-mecab-0.996-IPA", "6" * 32,
        "TXT003", "TXT003  accepted  11.9%", "SCO001", "no limit is set",
        "TXT003 by minji", "batch sizes", "20 20",
    ):  # fmt: skip
        assert fact in answer.out, fact


def test_json_is_one_document_with_the_verdict_and_the_record(recorded, ledger):
    document = ledger("show", "exp7-3fa91c", "--json").document
    assert document["verdict"] == "pass"
    assert document["findings"][0]["accepted"] == "names stay in Latin script in this domain"
    assert document["recorded"]["finished"]["verdict"] == "fail"
    assert document["recorded"]["started"]["spec"]["generation"]["num_beams"] == 3
    assert len(document["entries"]) == 3
    assert document["files"] == {}


def test_an_unfinished_run_is_shown_without_its_missing_parts(recorded, ledger):
    answer = ledger("show", "exp6")
    assert answer.code == 0
    assert "interrupted" in answer.out
    assert "metrics" not in answer.out
    assert ledger("show", "exp6", "--json").document["verdict"] is None


def test_names_the_files_that_are_there(recorded, ledger):
    folder = recorded.runs / "exp7-3fa91c"
    folder.mkdir(parents=True)
    (folder / "worker.log").write_text("x")
    (recorded.root / "outputs").mkdir()
    (recorded.root / "outputs/exp7.ja").write_text("x")
    assert ledger("show", "exp7", "--json").document["files"] == {
        "run folder": ".ledger/runs/exp7-3fa91c",
        "output": "outputs/exp7.ja",
        "worker.log": ".ledger/runs/exp7-3fa91c/worker.log",
    }
    assert "outputs/exp7.ja" in ledger("show", "exp7").out


@pytest.mark.parametrize(("name", "says"), [("exp77", "did you mean exp7"), ("exp", "3 runs begin with")])
def test_unknown_names_are_reported(recorded, ledger, name, says):
    answer = ledger("show", name)
    assert (answer.code, answer.out) == (2, "")
    assert says in answer.err
