import json
import os
import pickle
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from ledger.display.progress import Progress
from ledger.errors import LedgerError
from runners.host.generation import GenerationJob, GenerationResult, generate, probe
from runners.host.worker_process import Worker

MakeJob = Callable[..., GenerationJob]

FAMILIES = ("marian", "m2m100", "mbart", "mbart50", "nllb", "t5")
FAULTY = Path(__file__).parent / "faulty.py"


def run(worker: Worker, job, folder: Path) -> tuple[GenerationResult, list[str]]:
    result = generate(worker, job, folder, lambda progress: None)
    text = job.output.read_bytes().decode()
    assert text.endswith("\n") or job.lines == 0
    return result, text.split("\n")[:-1]


@pytest.mark.parametrize("family", FAMILIES)
def test_each_line_gets_its_own_translation_whatever_it_is_batched_with(
    family: str, worker: Worker, make_job: MakeJob, korean: list[str], tmp_path: Path
) -> None:
    job = make_job(korean[:18], family)
    _, together = run(worker, job, tmp_path / "together")
    _, alone = run(worker, replace(job, batch_size=1), tmp_path / "alone")
    assert len(together) == 18
    assert together == alone
    assert len(set(together)) > 9, "outputs so alike would hide a shifted line"


def test_lines_that_reached_a_limit_are_named(
    worker: Worker, make_job: MakeJob, korean: list[str], tmp_path: Path
) -> None:
    """Without beams, a line that ended by itself does not change with a higher limit."""
    lines = [*korean[:12], "", f"{korean[12]} {korean[13]} {korean[14]}"]
    short, few = run(worker, make_job(lines, generation={"max_length": 6, "num_beams": 1}), tmp_path / "a")
    job = make_job(lines, generation={"max_length": 40, "num_beams": 1}, max_source_length=12)
    longer, more = run(worker, job, tmp_path / "b")
    changed = {line for line, (one, other) in enumerate(zip(few, more, strict=True)) if one != other}
    assert short.truncated == ()
    assert 13 in longer.truncated
    assert 12 not in short.unfinished
    assert changed - {*longer.truncated} <= {*short.unfinished}
    assert run(worker, job, tmp_path / "b")[0].unfinished == longer.unfinished, "resumed from the shards"


def test_blank_lines_and_odd_breaks_keep_every_line_in_its_place(
    worker: Worker, make_job: MakeJob, korean: list[str], tmp_path: Path
) -> None:
    good, other = korean[0], korean[1]
    lines = ["", good, "   ", f"{good}\u2028{other}", "\u3000", f"{other}\x0b{good}\x85{good}", other]
    result, texts = run(worker, make_job(lines), tmp_path / "run")
    assert [bool(text) for text in texts] == [False, True, False, True, False, True, True]
    assert result.failed == 0
    _, plain = run(worker, make_job([good, other]), tmp_path / "plain")
    assert [texts[1], texts[6]] == plain


@pytest.mark.parametrize(("content", "lines"), [(b"", 0), (b"\n", 1), ("안녕".encode(), 1)])
def test_files_without_text_or_a_last_newline(
    content: bytes, lines: int, worker: Worker, make_job: MakeJob, tmp_path: Path
) -> None:
    job = replace(make_job([]), lines=lines)
    job.source.write_bytes(content)
    _, texts = run(worker, job, tmp_path / "run")
    assert len(texts) == lines


def test_windows_line_ends_and_a_byte_order_mark_change_nothing(
    worker: Worker, make_job: MakeJob, korean: list[str], tmp_path: Path
) -> None:
    job = make_job(korean[:4])
    _, plain = run(worker, job, tmp_path / "plain")
    job.source.write_bytes(b"\xef\xbb\xbf" + "".join(f"{line}\r\n" for line in korean[:4]).encode())
    _, windows = run(worker, job, tmp_path / "windows")
    assert windows == plain


def test_what_is_on_disk_is_not_done_again_unless_it_is_damaged(
    worker: Worker, make_job: MakeJob, korean: list[str], tmp_path: Path
) -> None:
    job = make_job(korean[:20])
    first, texts = run(worker, job, tmp_path / "run")
    assert first.resumed == 0
    shards = sorted((tmp_path / "run" / "shards").iterdir())
    assert len(shards) == 5
    shards[1].unlink()
    shards[2].write_bytes(shards[2].read_bytes()[:-9])
    shards[3].write_text(shards[3].read_text("utf-8").replace('"texts": ["', '"texts": ["x'), "utf-8")
    again, repeated = run(worker, job, tmp_path / "run")
    assert again.resumed == 8
    assert repeated == texts


@pytest.mark.parametrize(
    "change", [{"seed": 1}, {"generation": {"max_length": 9}}, {"batch_size": 5}, {"failure_marker": "X"}]
)
def test_shards_of_another_job_are_never_used(
    change: dict[str, object], worker: Worker, make_job: MakeJob, korean: list[str], tmp_path: Path
) -> None:
    job = make_job(korean[:8])
    run(worker, job, tmp_path / "run")
    result, _ = run(worker, replace(job, **change), tmp_path / "run")
    assert result.resumed == 0


def test_sampling_depends_on_the_seed_alone(
    worker: Worker, make_job: MakeJob, korean: list[str], tmp_path: Path
) -> None:
    sampling = {"max_length": 12, "do_sample": True, "num_beams": 1, "temperature": 3.0}
    job = make_job(korean[:8], generation=sampling)
    _, one = run(worker, job, tmp_path / "one")
    (tmp_path / "one" / "shards" / "00001.json").unlink()
    _, resumed = run(worker, job, tmp_path / "one")
    _, other = run(worker, replace(job, seed=1), tmp_path / "other")
    assert resumed == one
    assert other != one


def test_progress_counts_up_to_all_lines_with_a_rate(
    worker: Worker, make_job: MakeJob, korean: list[str], tmp_path: Path
) -> None:
    seen: list[Progress] = []
    generate(worker, make_job(korean[:8]), tmp_path / "run", seen.append)
    counts = [(p.done, p.total) for p in seen if p.stage == "translating"]
    assert counts[0] == (0, 8)
    assert counts[-1] == (8, 8)
    assert seen[-1].rate is not None
    assert seen[-1].rate > 0


def test_the_effective_configuration_tells_what_was_set_and_what_was_the_models(
    worker: Worker, make_job: MakeJob, models: Path, korean: list[str], tmp_path: Path
) -> None:
    """4.57 takes a value that equals the global default for unset, and would use the model's five beams."""
    folder = tmp_path / "model"
    shutil.copytree(models / "m2m100", folder)
    settings = json.loads((folder / "generation_config.json").read_text())
    settings |= {"num_beams": 5, "length_penalty": 0.25}
    (folder / "generation_config.json").write_text(json.dumps(settings))
    job = make_job(korean[:2], "m2m100", model=str(folder), generation={"max_length": 12, "num_beams": 1})
    effective = run(worker, job, tmp_path / "run")[0].effective
    generation = effective["generation"]
    assert (generation["num_beams"], generation["length_penalty"], generation["max_length"]) == (1, 0.25, 12)
    assert generation["repetition_penalty"] == 1.0, "a default of the library is resolved too"
    assert effective["tokenizer"]["class"].startswith("M2M100Tokenizer")
    assert effective["model"]["d_model"] == 16
    assert effective["runtime"]["dtype"] == "float32"
    assert effective["weights"] == {"missing_keys": [], "unexpected_keys": []}
    again = run(worker, job, tmp_path / "again")[0].effective
    assert json.dumps(again) == json.dumps(effective)


def test_the_distributions_that_were_imported_are_the_experiments_own(
    worker: Worker, make_job: MakeJob, korean: list[str], tmp_path: Path
) -> None:
    imported = run(worker, make_job(korean[:2]), tmp_path / "run")[0].imported
    assert {"torch", "transformers", "tokenizers", "sentencepiece"} <= set(imported)
    assert not {"experiment-ledger", "mlflow", "sacrebleu", "pydantic", "click"} & set(imported)


# --- language codes ---------------------------------------------------------------------------------

WRONG = [
    ("nllb", "ko", "ja"),
    ("mbart50", "ko", "ja"),
    ("mbart", "ko", "ja"),
    ("m2m100", "ko_KR", "ja_XX"),
    ("marian", None, "ja"),
]


@pytest.mark.parametrize("family", FAMILIES)
def test_right_codes_are_known_and_come_back(
    family: str, worker: Worker, make_job: MakeJob, korean: list[str]
) -> None:
    found = probe(worker, make_job(korean[:5], family))
    expected = {"marian": {"target"}, "t5": set()}.get(family, {"source", "target"})
    assert set(found.codes) == expected
    assert set(found.uncoded) == {"source", "target"} - expected
    for role, code in found.codes.items():
        assert code.known, role
        assert not code.is_unk
        assert code.round_trips, role
        assert code.code in found.known_codes


@pytest.mark.parametrize(("family", "source", "target"), WRONG)
def test_wrong_codes_are_told_apart_and_what_was_allowed_still_runs(
    family: str,
    source: str,
    target: str,
    worker: Worker,
    make_job: MakeJob,
    korean: list[str],
    tmp_path: Path,
) -> None:
    job = make_job(korean[:5], family, source_code=source, target_code=target)
    codes = probe(worker, job).codes
    assert "target" in codes
    for code in codes.values():
        assert not code.known
        assert code.is_unk
        assert code.round_trips is False
    result, texts = run(worker, job, tmp_path / "run")
    assert result.failed == 0
    assert len(texts) == 5


def test_a_marian_code_may_come_as_its_tag(worker: Worker, make_job: MakeJob, korean: list[str]) -> None:
    assert probe(worker, make_job(korean[:3], target_code=">>jpn<<")).codes["target"].known


@pytest.mark.parametrize("family", FAMILIES)
def test_the_family_is_told_from_the_folder(
    family: str, worker: Worker, make_job: MakeJob, korean: list[str], tmp_path: Path
) -> None:
    job = make_job(korean[:2], family, family=None)
    assert run(worker, job, tmp_path / "run")[0].effective["family"] == family


# --- what cannot be done ----------------------------------------------------------------------------


def _without(name: str):
    return lambda folder: (folder / name).unlink()


def _truncate(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])


def _garble(folder: Path) -> None:
    (folder / "config.json").write_text("{not json")


def _other_model(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "bert"}')


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_without("config.json"), "config.json"),
        (_without("model.safetensors"), "weights"),
        (_truncate, "broken"),
        (_garble, "JSON"),
        (_other_model, "bert"),
        (shutil.rmtree, "no model folder"),
    ],
)
def test_a_spoilt_model_folder_is_named_in_one_sentence(
    spoil, says: str, worker: Worker, make_job: MakeJob, models: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(models / "marian", folder)
    spoil(folder)
    job = make_job(["안녕"], model=str(folder))
    with pytest.raises(LedgerError, match=says) as caught:
        generate(worker, job, tmp_path / "run", lambda progress: None)
    assert "Traceback" not in str(caught.value)
    assert caught.value.hint
    assert not job.output.exists()


class Payload:
    """What a hostile checkpoint would run when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return os.system, (f"touch {self.trace}",)


def test_a_pickle_with_a_payload_is_refused_and_not_run(
    worker: Worker, make_job: MakeJob, models: Path, tmp_path: Path
) -> None:
    folder, trace = tmp_path / "model", tmp_path / "it-ran"
    shutil.copytree(models / "marian", folder)
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps({"weights": Payload(trace)}))
    with pytest.raises(LedgerError, match="pickle"):
        generate(worker, make_job(["안녕"], model=str(folder)), tmp_path / "run", lambda progress: None)
    assert not trace.exists()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"dtype": "float8"}, "float8"),
        ({"device": "cuda"}, "CUDA"),
        ({"generation": {"num_beam": 3}}, "num_beam"),
        ({"generation": {"max_length": 1000}}, "1000 tokens"),
        ({"lines": 3}, "2 lines, 3 were expected"),
        ({"family": "bert"}, "bert"),
    ],
)
def test_a_job_that_cannot_be_done_says_why(
    change: dict[str, object], says: str, worker: Worker, make_job: MakeJob, tmp_path: Path
) -> None:
    with pytest.raises(LedgerError, match=says) as caught:
        generate(worker, make_job(["안녕", "하세요"], **change), tmp_path / "run", lambda progress: None)
    assert caught.value.hint


@pytest.mark.parametrize(("content", "says"), [("안녕".encode("euc-kr"), "UTF-8"), (None, "no source file")])
def test_a_source_that_cannot_be_read(
    content: bytes | None, says: str, worker: Worker, make_job: MakeJob, tmp_path: Path
) -> None:
    job = make_job(["안녕"])
    job.source.unlink()
    if content is not None:
        job.source.write_bytes(content)
    with pytest.raises(LedgerError, match=says):
        generate(worker, job, tmp_path / "run", lambda progress: None)


# --- lines that fail, memory that is short ----------------------------------------------------------


@pytest.fixture(scope="module")
def limits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that tells the faulty worker how to fail."""
    return tmp_path_factory.mktemp("faulty") / "limits.json"


@pytest.fixture(scope="module")
def faulty(limits: Path) -> Iterator[Worker]:
    """A worker whose model fails as `limits` says; see faulty.py."""
    interpreter = limits.parent / "python"
    script = f'#!/bin/sh\nFAULTY_LIMITS={limits} exec {sys.executable} -P {FAULTY} "$@"\n'
    interpreter.write_text(script)
    interpreter.chmod(0o755)
    with Worker(interpreter, limits.parent / "worker.log") as worker:
        yield worker


def test_short_memory_halves_the_batch_and_says_so(
    faulty: Worker, limits: Path, worker: Worker, make_job: MakeJob, korean: list[str], tmp_path: Path
) -> None:
    limits.write_text('{"most_lines": 3}')
    job = make_job(korean[:10], batch_size=8)
    _, whole = run(worker, job, tmp_path / "whole")
    told: list[str] = []
    result = generate(faulty, job, tmp_path / "halved", lambda progress: None, told.append)
    assert result.failed == 0
    assert result.halved == 1
    assert result.batch_sizes == (2, 8)
    assert any("out of memory with 8 lines" in message for message in told)
    assert job.output.read_text("utf-8").split("\n")[:-1] == whole
    shard = json.loads((tmp_path / "halved" / "shards" / "00000.json").read_text("utf-8"))
    assert shard["content"]["batch_sizes"] == [2, 2, 2, 2]


def test_lines_that_fail_become_the_marker_and_no_other_line_moves(
    faulty: Worker, limits: Path, worker: Worker, make_job: MakeJob, tmp_path: Path, korean: list[str]
) -> None:
    limits.write_text('{"tokens": 20}')
    long = " ".join(korean[:8])
    lines = [*korean[:5], long, *korean[5:9], long]
    job = make_job(lines, generation={"max_length": 12})
    _, whole = run(worker, job, tmp_path / "whole")
    result, texts = run(faulty, job, tmp_path / "failed")
    assert result.failed == 2
    assert [at for at, text in enumerate(texts) if text == job.failure_marker] == [5, 10]
    assert [text for at, text in enumerate(texts) if at not in {5, 10}] == [
        text for at, text in enumerate(whole) if at not in {5, 10}
    ]


def test_no_memory_for_a_single_line_fails_that_line(
    faulty: Worker, limits: Path, make_job: MakeJob, korean: list[str], tmp_path: Path
) -> None:
    limits.write_text('{"most_lines": 0}')
    result, texts = run(faulty, make_job(korean[:4]), tmp_path / "run")
    assert result.failed == 4
    assert texts == ["FAILED_TRANSLATION"] * 4


def test_no_space_left_is_one_plain_message_and_the_next_try_goes_on(
    worker: Worker, make_job: MakeJob, korean: list[str], tmp_path: Path
) -> None:
    job = make_job(korean[:120], batch_size=60)
    process = psutil.Process(worker.pid)
    whole = process.rlimit(psutil.RLIMIT_FSIZE)
    process.rlimit(psutil.RLIMIT_FSIZE, (4096, whole[1]))
    try:
        with pytest.raises(LedgerError, match="no space left") as caught:
            generate(worker, job, tmp_path / "run", lambda progress: None)
    finally:
        process.rlimit(psutil.RLIMIT_FSIZE, whole)
    assert "--resume" in caught.value.hint
    _, texts = run(worker, job, tmp_path / "run")
    assert len(texts) == 120


def test_a_hub_model_is_taken_at_the_revision_that_is_named(
    make_job: MakeJob, models: Path, korean: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a Hugging Face cache as its library lays it out; two revisions hold two models."""
    repository = tmp_path / "hub" / "models--team--tiny"
    (repository / "refs").mkdir(parents=True)
    for revision, commit, model in (("v1", "a" * 40, "marian"), ("v2", "b" * 40, "m2m100")):
        (repository / "refs" / revision).write_text(commit)
        shutil.copytree(models / model, repository / "snapshots" / commit)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    job = replace(make_job(korean[:4]), model="team/tiny")
    with Worker(Path(sys.executable), tmp_path / "worker.log") as worker:
        first, second = (
            generate(worker, replace(job, revision=name), tmp_path / name, lambda progress: None)
            for name in ("v1", "v2")
        )
        with pytest.raises(LedgerError, match="team/tiny at v9"):
            probe(worker, replace(job, revision="v9"))
    assert first.effective["family"] == "marian"
    assert second.effective["family"] == "m2m100"
