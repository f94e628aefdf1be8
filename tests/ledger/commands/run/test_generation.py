"""`ledger run EXP` from end to end: tiny real models, real git, real files."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sysconfig
import time
import zipfile
from pathlib import Path

import pytest

from runners.rehearsal import pairs, rehearsal_text
from runners.rehearsal.model import model_name
from tests.conftest import copy_repository, make_once

KILLS = int(os.environ.get("LEDGER_KILLS", "3"))


def codes(document, severity=None):
    return {f["code"] for f in document["findings"] if severity in (None, f["severity"])}


def test_one_experiment_under_two_names(repository):
    first = repository.json("run", "exp5", "--rehearse")
    assert first["verdict"] == "pass"
    assert first["metrics"]["bleu"]["value"] > 80
    assert "ja-mecab" in first["metrics"]["bleu"]["signature"]

    refused = repository.json("run", "exp7", "--rehearse", exits=1)
    assert refused["run"] is None
    assert codes(refused, "error") == {"PRE001"}
    assert "exp5" in refused["findings"][0]["message"]

    again = repository.ledger("run", "exp7", "--rehearse", "--again")
    assert again.returncode == 0
    assert "PRE001" in again.stderr, "announced before it runs, on standard error"
    assert "DUP001" in again.stdout
    assert f"md5:{first['output']['md5']}" in again.stdout.replace("\n", "").replace(" ", "")

    reproduced = repository.json("run", "exp5", "--rehearse", "--again")
    assert {"DUP001", "DUP002"} <= codes(reproduced)
    assert reproduced["verdict"] == "pass"
    assert reproduced["output"]["md5"] == first["output"]["md5"]
    assert not (repository.root / "experiments" / "ledger.jsonl").exists(), "no rehearsal among the results"
    assert repository.ledger("fsck").returncode == 0


def test_codes_of_another_family_are_refused_or_caught(repository):
    refused = repository.json("run", "exp4", "--rehearse", exits=1)
    assert codes(refused, "error") == {"PRE002"}
    assert "ja_XX" in str(refused["findings"])
    assert repository.json("log")["runs"] == []
    assert list((repository.root / ".ledger" / "runs").iterdir()) == []

    allowed = repository.json("run", "exp4", "--rehearse", "--allow", "PRE002", exits=1)
    assert "TXT004" in codes(allowed, "error")
    assert allowed["rates"]["TXT004"] > 0.5


def test_a_model_that_never_learned_to_translate(repository):
    document = repository.json("run", "exp8", "--rehearse", exits=1)
    assert "PRE005" in codes(document, "warning")
    assert {"TXT004", "SCO001"} <= codes(document, "error")


def test_a_parameter_without_effect_is_named(repository):
    repository.json("run", "exp5", "--rehearse")
    other = repository.json("run", "exp5", "--rehearse", "--set", "generation.max_length=127")
    (twin,) = [f for f in other["findings"] if f["code"] == "DUP001"]
    assert "generation.max_length" in twin["message"]


@pytest.fixture
def real(tmp_path_factory, template_repository, shared_models, tmp_path):
    """A repository with a real run to make: a model in a folder, Korean text and its translation in files."""

    def make(root):
        make_real(copy_repository(template_repository, root), shared_models)

    return copy_repository(make_once(tmp_path_factory, "real", make), tmp_path / "repository")


def make_real(repository, shared_models):
    run = repository.json("run", "exp5", "--rehearse")["run"]
    environment = repository.json("show", run)["recorded"]["started"]["environment"]
    model = shared_models / model_name("mbart50", "translation", environment, pairs())
    source, reference = rehearsal_text("ko", "ja")
    data = repository.root / "data"
    data.mkdir()
    (data / "small.ko").write_text("".join(f"{line}\n" for line in source), encoding="utf-8")
    (data / "small.ja").write_text("".join(f"{line}\n" for line in reference), encoding="utf-8")
    (repository.root / "experiments" / "small.yaml").write_text(
        f"extends: exp5\nmodel: {{name: {model}, family: mbart50, dtype: float32}}\n"
        "data: {source: data/small.ko, reference: data/small.ja}\noutput: out/small.ja\n"
        "generation: {batch_size: 4}\n",
        encoding="utf-8",
    )


def test_a_real_run_writes_its_output_and_the_journal(real):
    document = real.json("run", "small")
    output = real.root / "out" / "small.ja"
    assert document["mode"] == "real"
    assert hashlib.md5(output.read_bytes()).hexdigest() == document["output"]["md5"]
    assert len(output.read_text(encoding="utf-8").splitlines()) == document["output"]["lines"] == 64
    kinds = [
        json.loads(line)["kind"]
        for line in (real.root / "experiments" / "ledger.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert kinds == ["environment", "environment", "run.started", "run.finished"]
    assert document["effective"]["generation"]["num_beams"] == 3
    assert "transformers" in document["imported"]
    assert document["rates"]["TXT016"] == document["unfinished_lines"] / 64 <= 0.02
    assert document["truncated_sources"] == document["rates"]["TXT017"] == 0

    cut = ("generation.max_length=4", "generation.max_source_length=4", "output=out/cut.ja")
    limited = real.json("run", "small", *(part for one in cut for part in ("--set", one)), exits=1)
    assert {"TXT016", "TXT017"} <= codes(limited, "error")
    assert limited["rates"]["TXT016"] > 0.9


def test_flagged_lines_are_generated_again_with_the_fallback_settings(real):
    spec = real.root / "experiments" / "small.yaml"
    spec.write_text(spec.read_text(encoding="utf-8") + "fallback: {max_length: 60}\n", encoding="utf-8")
    short = ("--set", "generation.max_length=7")
    first = real.json("run", "small", *short, exits=1)
    assert "TXT016" in codes(first, "error")
    parent = (real.root / "out" / "small.ja").read_text(encoding="utf-8").splitlines()

    done = real.json("run", "small", *short, "--redo-flagged")
    redo, output = done["redo"], real.root / done["output"]["path"]
    assert output.name == f"small.{done['run']}.ja"
    assert (real.root / "out" / "small.ja").read_text(encoding="utf-8").splitlines() == parent
    assert redo["parent"] == first["run"]
    assert redo["before"]["TXT016"] == first["unfinished_lines"]
    assert redo["after"]["TXT016"] == done["unfinished_lines"] == redo["lines"] - redo["won"]
    lines = output.read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(parent)
    assert sum(new != old for new, old in zip(lines, parent, strict=True)) <= redo["won"]
    assert done["metrics"]["bleu"]["value"] > redo["metrics_before"]["bleu"] + 20
    started = real.json("show", done["run"])["recorded"]["started"]
    assert started["data"]["parent"]["run"] == first["run"]
    assert started["spec"]["generation"]["max_length"] == 60
    assert real.json("run", "small", *short, "--redo-flagged", exits=1)["findings"][0]["code"] == "PRE001"
    assert real.json("reproduce", done["run"], exits=3)["missing"][0]["piece"] == "parent"
    for arguments, exits, says in (
        ([*short, "--flagged-by", "TXT016"], 2, "--flagged-by is for --redo-flagged"),
        ([*short, "--redo-flagged", "--flagged-by", "TXT999"], 2, "TXT999"),
        ([*short, "--redo-flagged", "--flagged-by", "txt005"], 3, "no line of"),
        (["--redo-flagged"], 2, "no finished run of small"),
        (["--redo-flagged", *short, "--set", "fallback="], 2, "no fallback settings"),
    ):
        refused = real.ledger("run", "small", *arguments)
        assert (refused.returncode, says in refused.stderr) == (exits, True), refused.stderr
    shown = real.ledger("run", "small", *short, "--redo-flagged", "--again").stdout
    assert f"flagged lines of {first['run']} replaced" in " ".join(shown.split())


@pytest.mark.parametrize(
    ("spoil", "arguments", "exits", "says"),
    [
        (None, ["nothing"], 2, "exp"),
        (None, ["small", "--set", "generation.num_beam=5"], 2, "num_beams"),
        (None, ["small", "--resume"], 2, "no interrupted run"),
        (None, ["small", "--set", "environment=mt-4.57"], 2, "mt-4.57.6"),
        (None, ["small", "--set", "data.source=data"], 3, "folder"),
        (None, ["small", "--set", "data.source=data/none.ko"], 3, "data/none.ko"),
        (None, ["exp5"], 3, "train_sample1000.ko"),
        (None, ["small", "--set", "model.name=no/where"], 3, "no/where"),
        (("experiments/small.yaml", b"title: [\n"), ["small"], 2, "small.yaml"),
        (("data/small.ko", "막 하려던\n참이었어요\n".encode("cp949")), ["small"], 3, "iconv"),
        (("data/small.ko", b""), ["small"], 3, "empty"),
        (("data/small.ja", "一行だけ\n".encode()), ["small"], 3, "64 lines"),
        (("pyproject.toml", b"[tool.ledger]\nmax_rate = { TXT003 = 7 }\n"), ["small"], 2, "TXT003"),
        (("pyproject.toml", b"[tool.ledger]\nmax_rate = { TXT03 = 0.1 }\n"), ["small"], 2, "TXT03"),
        (("pyproject.toml", b"[tool.ledger]\nmax_rate = 0.1\n"), ["small"], 2, "not a table"),
    ],
)
def test_bad_input_is_one_message(real, spoil, arguments, exits, says):
    if spoil:
        (real.root / spoil[0]).write_bytes(spoil[1])
    done = real.ledger("run", *arguments)
    assert done.returncode == exits, done.stderr
    assert says in done.stderr
    assert done.stderr.count("ledger: ") == 1
    assert repository_runs(real) == ["exp5"], "nothing was started"


def repository_runs(repository):
    return [path.name.split("-")[0] for path in (repository.root / ".ledger" / "runs").iterdir()]


def test_a_resume_that_preflight_refuses_keeps_what_was_done(real):
    arguments = ["run", "small", "--set", "codes.target=ja", "--rehearse"]
    process = real.start(*arguments, "--allow", "PRE002")
    while not list((real.root / ".ledger" / "runs").glob("small-*/shards/*.json")):
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
    process.kill()
    process.communicate()
    real.json(*arguments, "--resume", exits=1)
    assert list((real.root / ".ledger" / "runs").glob("small-*/shards/*.json"))


def test_uncommitted_changes_are_refused_where_the_spec_says_so(real):
    refused = real.json("run", "small", "--set", "clean=true", exits=1)
    assert codes(refused, "error") == {"PRE004"}
    assert real.json("run", "small", "--set", "clean=true", "--allow", "pre004")["verdict"] == "pass"


@pytest.fixture
def pinned_elsewhere(real, tmp_path):
    """A lockfile of what is not installed here: one package, through which all that is can be imported."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    path = wheels / "bridge-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("bridge.pth", sysconfig.get_path("purelib"))
        wheel.writestr("bridge-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: bridge\nVersion: 1.0\n")
        wheel.writestr("bridge-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("bridge-1.0.dist-info/RECORD", "")
    lockfile = tmp_path / "elsewhere.txt"
    lockfile.write_text(f"bridge==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n")
    cache = tmp_path / "environments"
    real.variables.update(
        PIP_NO_INDEX="1",
        PIP_FIND_LINKS=str(wheels),
        PIP_CONFIG_FILE=os.devnull,
        LEDGER_ENVIRONMENTS=str(cache),
    )
    return lockfile


def test_packages_that_differ_from_the_lockfile_are_built(real, pinned_elsewhere):
    done = real.ledger("run", "small", "--set", f"environment={pinned_elsewhere}")
    assert done.returncode == 0, done.stderr
    assert "bridge 1.0 -> missing" in done.stderr
    lines = (real.root / "experiments" / "ledger.jsonl").read_text(encoding="utf-8").splitlines()
    entries = [json.loads(line) for line in lines]
    facts = {e["body"]["digest"]: e["body"]["facts"] for e in entries if e["kind"] == "environment"}
    (started,) = [entry["body"] for entry in entries if entry["kind"] == "run.started"]
    assert facts[started["environment"]]["packages"].keys() == {"bridge"}


def test_an_environment_that_cannot_be_built_ends_the_run_unless_drift_is_allowed(real, pinned_elsewhere):
    real.variables["PIP_FIND_LINKS"] = str(real.root)
    arguments = ["run", "small", "--set", f"environment={pinned_elsewhere}"]
    unclean = real.json(*arguments, "--set", "clean=true", exits=1)
    assert codes(unclean, "error") == {"PRE004", "ENV001"}, "nothing is built for what is refused anyway"

    refused = real.ledger(*arguments)
    assert refused.returncode == 3
    assert "cannot be built: bridge" in refused.stderr
    assert "is not available" in refused.stderr
    assert "--allow ENV001" in refused.stderr
    assert repository_runs(real) == ["exp5"], "nothing was started"

    allowed = real.json(*arguments, "--allow", "env001")
    assert allowed["verdict"] == "pass"
    (drift,) = [finding for finding in allowed["findings"] if finding["code"] == "ENV001"]
    assert drift["accepted"] == "allowed for this run"


@pytest.mark.own_worker  # a run that does not start one is too short to be killed at each of its moments
def test_killed_at_any_moment_it_resumes_to_the_same_bytes(real):
    """After each kill -9 the journal is valid, and the last run writes what an undisturbed run does."""
    began = time.monotonic()
    whole = real.json("run", "small", "--rehearse")["output"]["sha256"]
    longest = time.monotonic() - began
    rng = random.Random(20)
    for _ in range(KILLS):
        process = real.start("run", "small", "--rehearse", "--again", *resume_if_interrupted(real))
        time.sleep(rng.uniform(0.1, longest))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert real.ledger("fsck").returncode == 0
    last = real.json("run", "small", "--rehearse", "--again", *resume_if_interrupted(real))
    assert last["output"]["sha256"] == whole


def resume_if_interrupted(repository):
    runs = repository.json("log", "--all")["runs"]
    return ["--resume"] if any(run["status"] == "interrupted" for run in runs) else []


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 1 MiB; only root may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)], check=False).returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_no_space_left_is_one_message_and_nothing_is_lost(real, small_disk: Path):
    whole = real.json("run", "small")["output"]["sha256"]
    runs = real.root / ".ledger" / "runs"
    runs.rename(real.root / ".ledger" / "kept")
    runs.symlink_to(small_disk, target_is_directory=True)
    (small_disk / "ballast").write_bytes(b"x" * (2**20 - 20 * 2**10))
    done = real.ledger("run", "small", "--again")
    assert done.returncode == 3, done.stderr
    assert "space" in done.stderr
    assert real.ledger("fsck").returncode == 0
    (small_disk / "ballast").unlink()
    resumed = real.json("run", "small", "--again", "--resume")
    assert resumed["output"]["sha256"] == whole
