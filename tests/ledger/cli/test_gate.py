"""`ledger gate` through the installed command: real git branches, and real runs of tiny models."""

import json
import re
import shutil
import xml.etree.ElementTree as ET

import pytest
from junitparser import JUnitXml

from ledger.environments.lockfile import find
from runners.environments.build import built, default_cache
from runners.rehearsal import pairs, rehearsal_text
from runners.rehearsal.model import model_name
from tests.conftest import Repository, copy_repository, make_once

pytestmark = pytest.mark.timeout(900)

SMALL = """
extends: base/teacher
model: {{name: {model}, family: mbart50, dtype: float32}}
codes: {{source: ko_KR, target: ja_XX}}
data: {{source: data/small.ko, reference: data/small.ja}}
output: out/small.ja
generation: {{batch_size: 16, num_beams: 1}}
"""
CLAIM = "# Results\n\nBLEU of <!-- ledger: small bleu -->**{}**<!-- /ledger -->, by ja-mecab.\n"
KEPT = {"small.yaml", "exp5.yaml", "exp10.yaml"}


@pytest.fixture(scope="session")
def recorded(tmp_path_factory, template_repository, shared_models):
    """main with a real run and a true README; `twin` and `worse` with one more run each. Made once."""
    return make_once(
        tmp_path_factory,
        "gate",
        lambda root: make(copy_repository(template_repository, root), shared_models),
    )


def make(repository, models):
    root = repository.root
    for path in (root / "experiments").glob("*.yaml"):
        if path.name not in KEPT:
            path.unlink()
    run = repository.json("run", "exp5", "--rehearse")["run"]
    environment = repository.json("show", run)["recorded"]["started"]["environment"]
    model = models / model_name("mbart50", "translation", environment, pairs())
    (root / "data").mkdir()
    for lines, name in zip(rehearsal_text("ko", "ja"), ("small.ko", "small.ja"), strict=True):
        (root / "data" / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    (root / "experiments" / "small.yaml").write_text(SMALL.format(model=model))
    bleu = repository.json("run", "small")["metrics"]["bleu"]["value"]
    (root / "README.md").write_text(CLAIM.format(f"{bleu:.2f}"))
    commit(repository, "a result")
    repository.git("checkout", "-qb", "twin")
    (root / "experiments" / "again.yaml").write_text("extends: small\noutput: out/again.ja\n")
    repository.json("run", "again", "--again")
    commit(repository, "the same again")
    repository.git("checkout", "-q", "main")
    repository.git("checkout", "-qb", "worse")
    with (root / "experiments" / "small.yaml").open("a") as file:
        codes = ("TXT005", "TXT006", "TXT007", "TXT009", "TXT016")
        limits = ", ".join(f"{code}: 1" for code in codes)
        file.write(f"guards: {{max_rate: {{{limits}}}, min_token_ratio: 0.1}}\n")
    spec = root / "experiments" / "small.yaml"
    spec.write_text(spec.read_text().replace("num_beams: 1", "num_beams: 1, max_length: 5"))
    repository.json("run", "small")
    commit(repository, "shorter")
    repository.git("checkout", "-q", "main")


def commit(repository, message):
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", message)


@pytest.fixture
def repository(recorded, tmp_path):
    """A copy on a new branch."""
    copy = copy_repository(recorded, tmp_path / "repository")
    copy.git("checkout", "-qb", "feature")
    return copy


def gate(repository, *options, exits=0):
    """The codes of the errors, and the whole document."""
    document = repository.json("gate", "--base", "main", *options, exits=exits)
    errors = [f for f in document["findings"] if f["severity"] == "error" and not f.get("accepted")]
    return sorted({finding["code"] for finding in errors}), document


def status(document, name):
    return next(check["status"] for check in document["checks"] if check["name"] == name)


def test_an_unchanged_branch_passes(repository):
    codes, document = gate(repository)
    assert codes == []
    assert document["verdict"] == "pass"
    assert [check["status"] for check in document["checks"]] == ["pass"] * 7
    assert document["base"]["name"] == "main"


def test_two_branches_that_both_append_merge_cleanly_and_pass(repository):
    for branch in ("left", "right"):
        repository.git("checkout", "-qb", branch, "main")
        assert repository.ledger("run", branch, "--", "true").returncode == 0
        assert repository.ledger("run", branch, "--", "true").returncode == 0
        commit(repository, branch)
        assert gate(repository)[0] == []
    repository.git("merge", "-q", "left", "-m", "merge")
    assert gate(repository)[0] == []
    assert repository.json("gate", "--base", "left")["verdict"] == "pass"
    assert repository.json("gate", "--base", "right")["verdict"] == "pass"
    assert repository.ledger("fsck").returncode == 0


def test_an_old_line_that_was_edited(repository):
    journal = repository.root / "experiments" / "ledger.jsonl"
    text = journal.read_text(encoding="utf-8")
    journal.write_text(re.sub(r'"seconds":\d', '"seconds":7', text, count=1), encoding="utf-8")
    commit(repository, "tidy")
    codes, document = gate(repository, exits=1)
    assert codes == ["JRN001", "JRN007"]
    assert "was altered" in next(f["message"] for f in document["findings"] if f["code"] == "JRN007")


@pytest.mark.parametrize("line", [0, -1])
def test_an_old_line_that_was_dropped(repository, line):
    journal = repository.root / "experiments" / "ledger.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    del lines[line]
    journal.write_bytes(b"".join(lines))
    commit(repository, "tidy")
    shutil.rmtree(repository.root / ".ledger" / "heads")  # what a fresh clone does not have
    assert "JRN007" in gate(repository, exits=1)[0]


def test_an_unreadable_journal_makes_the_other_checks_skip(repository):
    with (repository.root / "experiments" / "ledger.jsonl").open("a") as file:
        file.write('"not an entry"\n')
    codes, document = gate(repository, exits=1)
    assert codes == ["JRN006"]
    for name in ("scores", "identical", "findings", "claims"):
        assert status(document, name) == "skip"


def test_a_spec_without_a_run(repository):
    new = repository.root / "experiments" / "more.yaml"
    new.write_text("extends: exp5\ngeneration: {num_beams: 2}\n")
    codes, document = gate(repository, exits=1)
    assert codes == ["GAT001"]
    assert "more is new" in document["findings"][0]["message"]
    commit(repository, "another")
    assert gate(repository, exits=1)[0] == ["GAT001"]

    codes, document = gate(repository, "--rehearse")
    assert codes == []
    (note,) = [f for f in document["findings"] if f["code"] == "GAT001"]
    assert "never run for real, and passed a rehearsal made just now" in note["message"]

    new.write_text("extends: exp5\nstatus: planned\ngeneration: {num_beams: 2}\n")
    assert gate(repository)[0] == []
    new.write_text("extends: exp5\ngeneration: {num_beam: 2}\n")
    codes, document = gate(repository, exits=1)
    assert codes == ["GAT001"]
    assert "num_beam" in document["findings"][0]["message"]


def test_a_new_title_is_not_a_change(repository):
    with (repository.root / "experiments" / "small.yaml").open("a") as file:
        file.write("title: The small one\n")
    assert gate(repository)[0] == []


def test_a_rehearsal_does_not_cover_a_spec_that_changed_after_its_run(repository):
    with (repository.root / "experiments" / "small.yaml").open("a") as file:
        file.write("seed: 3\n")
    codes, document = gate(repository, "--rehearse", exits=1)
    assert codes == ["GAT001"]
    assert "was not run since" in document["findings"][0]["message"]


def test_a_readme_that_claims_another_bleu(repository):
    readme = repository.root / "README.md"
    readme.write_text(CLAIM.format("0.22"))
    commit(repository, "better")
    codes, document = gate(repository, exits=1)
    assert codes == ["GAT005"]
    assert "README.md:3 claims 0.22 as bleu of small; the journal has 9" in document["findings"][0]["message"]
    readme.write_text(CLAIM.format("0.22").replace("small", "exp99"))
    assert gate(repository, exits=1)[0] == ["GAT005"]
    readme.write_bytes(b"\xff\xfe not UTF-8")
    assert gate(repository)[0] == []


def test_a_result_identical_to_another_experiments(repository):
    repository.git("checkout", "-q", "twin")
    codes, document = gate(repository, exits=1)
    assert codes == ["DUP001"]
    (finding,) = [f for f in document["findings"] if f["code"] == "DUP001"]
    assert "MD5-identical" in finding["message"]
    assert "small-" in finding["message"]
    assert repository.ledger("accept", "again", "DUP001", "--why", "one spec, two names").returncode == 0
    assert gate(repository)[0] == []


def test_a_score_that_fell(repository):
    repository.git("checkout", "-q", "worse")
    codes, document = gate(repository, exits=1)
    assert "GAT003" in codes
    (finding,) = [f for f in document["findings"] if f["code"] == "GAT003" and "bleu" in f["message"]]
    assert "paired bootstrap, p = 0.00" in finding["message"]
    assert finding["measured"] < finding["threshold"]
    assert repository.ledger("accept", "small", "GAT003", "--why", "shorter is wanted").returncode == 0
    assert "GAT003" not in gate(repository, exits=1)[0], "the README still claims the old number"

    repository.git("rm", "-q", "--cached", "out/small.ja")
    repository.git("checkout", "-q", "worse", "--force")
    for output in repository.root.glob("out/*"):
        output.unlink()
    _, document = gate(repository, exits=1)
    told = [f["message"] for f in document["findings"] if f["code"] == "GAT003"]
    assert any("their 95% intervals do not overlap" in message for message in told)
    assert all("is not available" in message for message in told)


def test_an_open_finding(repository):
    spec = repository.root / "experiments" / "strict.yaml"
    spec.write_text("extends: small\noutput: out/strict.ja\nguards: {min_bleu: 100}\nseed: 1\n")
    repository.json("run", "strict", "--again", exits=1)
    codes, document = gate(repository, exits=1)
    assert codes == ["DUP001", "GAT001", "GAT004"]
    assert "SCO001" in next(f["message"] for f in document["findings"] if f["code"] == "GAT004")
    for code in ("SCO001", "DUP001"):
        assert repository.ledger("accept", "strict", code, "--why", "known").returncode == 0
    assert gate(repository)[0] == []


def bump(repository, package, version):
    for path in (repository.root / "lockfiles").glob("mt-4.57.6*.txt"):
        text = path.read_text(encoding="utf-8")
        changed = re.sub(rf"(?m)^{package}==\S+", f"{package}=={version}", text)
        assert changed != text
        path.write_text(changed, encoding="utf-8")
    commit(repository, f"bump {package}")


def test_a_bump_of_a_package_that_no_worker_imports_passes_with_a_note(repository):
    (repository.root / "experiments" / "exp10.yaml").unlink()
    commit(repository, "only what was run or rehearsed here")
    bump(repository, "networkx", "3.7")
    for options in ([], ["--rehearse"]):
        codes, document = gate(repository, *options)
        assert codes == []
        notes = [f["message"] for f in document["findings"] if f["code"] == "GAT002"]
        assert len(notes) == 2
        assert all("networkx 3.6.1 → 3.7, which its worker never imported" in note for note in notes)


def test_a_bump_that_matters_is_reported_as_a_skip(repository):
    bump(repository, "tokenizers", "0.23.0")
    codes, document = gate(repository)
    assert codes == []
    assert status(document, "lockfiles") == "skip"
    assert all("tokenizers 0.22.2 → 0.23.0" in skip["reason"] for skip in document["skips"])
    told = [row for check in document["checks"] for table in check["tables"] for row in table["rows"]]
    assert ["tokenizers", "0.22.2", "0.23.0", "yes"] in told
    assert ["tokenizers", "0.22.2", "0.23.0", "not known"] in told, "nobody ran exp10 yet"


def test_a_missing_lockfile(repository):
    for path in (repository.root / "lockfiles").glob("mt-4.57.6*.txt"):
        path.unlink()
    codes, document = gate(repository, exits=1)
    assert codes == ["GAT002"]
    assert "no lockfile mt-4.57.6.txt" in document["findings"][0]["message"]


APART = """
extends: base/exp10
model:
  config: {share_encoder_decoder_embeddings: false, tie_word_embeddings: true}
output: models/apart
"""


@pytest.mark.slow
def test_a_bump_to_5_0_0_breaks_a_tied_head_on_separate_embeddings(repository, tmp_path):
    """Where the environment of mt-5.0.0 is built already: that takes minutes and gigabytes."""
    lockfiles, experiments = repository.root / "lockfiles", repository.root / "experiments"
    if built(find("mt-5.0.0", lockfiles), default_cache()) is None:
        pytest.skip("the environment of mt-5.0.0 is not built here: ledger env build mt-5.0.0")
    repository.git("checkout", "-q", "main")
    (experiments / "exp10.yaml").rename(experiments / "base" / "exp10.yaml")
    for name in ("exp5", "small"):
        (experiments / f"{name}.yaml").unlink()
    (experiments / "apart.yaml").write_text(APART)
    commit(repository, "one training")
    repository.git("checkout", "-qb", "bump")
    for path in lockfiles.glob("mt-5.0.0*.txt"):
        shutil.copy(path, lockfiles / path.name.replace("5.0.0", "4.57.6"))
    commit(repository, "bump transformers")
    summary = tmp_path / "summary.md"
    codes, document = gate(repository, "--rehearse", "--summary", str(summary), exits=1)
    assert codes == ["GAT002"]
    (finding,) = [f for f in document["findings"] if f["code"] == "GAT002"]
    assert any("lm_head.weight" in problem for problem in finding["evidence"]["problems"])
    told = summary.read_text(encoding="utf-8")
    for named in ("transformers 4.57.6 → 5.0.0", "model.tie_word_embeddings True → False", "lm_head.weight"):
        assert named in told


def test_the_terminal_output_fits_80_columns(repository):
    (repository.root / "experiments" / "more.yaml").write_text("extends: exp5\nseed: 5\n")
    done = repository.ledger("gate", "--base", "main")
    assert done.returncode == 1
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "FAIL  against main" in done.stdout
    assert "ledger explain GAT001" in done.stdout
    assert repository.ledger("explain", "GAT001").returncode == 0


def test_the_files_for_other_programs(repository, tmp_path):
    (repository.root / "README.md").write_text(CLAIM.format("12 | <b>"))
    bump(repository, "tokenizers", "0.23.0")
    junit, summary, job = (tmp_path / name for name in ("gate.xml", "gate.md", "job.md"))
    job.write_text("what another step said\n")
    on_github = Repository(repository.root, {"GITHUB_STEP_SUMMARY": str(job)})
    gate(on_github, "--junit", str(junit), "--summary", str(summary), exits=1)
    suite = next(iter(JUnitXml.fromfile(str(junit))))
    assert (suite.tests, suite.failures, suite.skipped) == (7, 1, 1)
    failed = {case.name: case.result for case in suite if case.result}
    assert failed["claims"][0].type == "GAT005"
    assert "tokenizers" in failed["lockfiles"][0].message
    assert ET.parse(junit).getroot().tag == "testsuites"
    text = summary.read_text(encoding="utf-8")
    assert "## ledger gate: fail" in text
    assert "GAT005" in text
    assert "12 \\| &lt;b>" in text
    assert job.read_text(encoding="utf-8") == "what another step said\n" + text


@pytest.mark.parametrize(
    ("options", "exits", "says"),
    [
        (["--base", "no-such-branch"], 2, "git fetch origin no-such-branch"),
        (["--base", "main", "--junit", "no/such/folder.xml"], 3, "no such folder"),
        (["--base", "main", "--summary", "no/such/folder.md"], 3, "no such folder"),
    ],
)
def test_bad_calls_get_one_message(repository, options, exits, says):
    done = repository.ledger("gate", *options)
    assert done.returncode == exits
    assert says in done.stderr
    assert done.stderr.count("ledger: ") == 1


def test_a_shallow_clone_gets_one_message(repository, tmp_path):
    clone = Repository(tmp_path / "clone")
    repository.git("clone", "-q", "--depth", "1", f"file://{repository.root}", str(clone.root))
    done = clone.ledger("gate")
    assert done.returncode == 3
    assert "shallow" in done.stderr
    assert "fetch-depth: 0" in done.stderr
    assert clone.ledger("gate", "--base", "HEAD").returncode == 0


def test_the_work_tree_is_left_as_it_was(repository):
    (repository.root / "experiments" / "more.yaml").write_text("extends: exp5\nseed: 5\n")
    (repository.root / "README.md").write_text("changed\n")
    before = snapshot(repository)
    gate(repository, exits=1)
    assert snapshot(repository) == before


def snapshot(repository):
    files = (path for path in repository.root.rglob("*") if path.is_file() and ".git/" not in str(path))
    return {str(path): path.read_bytes() for path in files if ".ledger" not in path.parts}


def test_json_is_one_document(repository):
    done = repository.ledger("gate", "--base", "main", "--json")
    assert set(json.loads(done.stdout)) >= {"verdict", "findings", "skips", "passed", "base", "checks"}
