"""The gate in GitHub Actions: real repositories, events as files, and GitHub's API as a local server."""

import json
import re
import subprocess
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from ledger.commands.gate.comment import LONGEST, MARK, body
from ledger.commands.gate.context import Checked
from ledger.commands.gate.gate import Gate
from ledger.findings import Finding, Report, Severity
from ledger.git.history import Base
from ledger.workspace import Workspace
from tests.command import run_ledger
from tests.gate_repository import Repository

README = "# Results\n\nBLEU of <!-- ledger: exp5 bleu -->**{}**<!-- /ledger -->, by ja-mecab.\n"
CHECKPOINTS = {"checkpoints": [{"step": 10, "path": "models/checkpoint-10", "verdict": "pass"}],
               "unverified": [{"path": "models/checkpoint-20", "reason": "no space"}]}  # fmt: skip


class Pair:
    """A repository on a server and the clone in which a job works."""

    def __init__(self, root):
        (root / "server").mkdir()
        self.server = Repository(root / "server")
        self.server.record("exp5-1", output="five", bleu=20.0, interval=[19.6, 20.4], lines=4000)
        self.write("README.md", README.format("20.00"))
        self.server.commit("a result")
        self.root = root / "clone"
        self.event = root / "event.json"

    def write(self, name, text):
        (self.server.workspace.root / name).write_text(text)

    @property
    def head(self):
        command = ["git", "rev-parse", "HEAD"]
        return subprocess.run(
            command, cwd=self.server.workspace.root, capture_output=True, text=True, check=True
        ).stdout.strip()

    def job(self, *options, event=None, **variables):
        """Clone the server's current branch, as actions/checkout does, and run the gate there."""
        if not self.root.exists():
            subprocess.run(
                ["git", "clone", "-q", str(self.server.workspace.root), str(self.root)], check=True
            )
        self.event.write_text(json.dumps(event or {}))
        named = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(self.event), "GITHUB_REPOSITORY": "mt/mt"}
        return run_ledger("gate", *options, cwd=self.root, variables={**named, **variables})

    def push(self, before, **options):
        event = {"ref": "refs/heads/main", "before": before, "after": self.head,
                 "repository": {"default_branch": "main"}}  # fmt: skip
        return self.job(event=event, **options)


@pytest.fixture
def pair(tmp_path):
    return Pair(tmp_path)


@pytest.fixture
def pull_request(pair):
    """A branch with a worse score, a stale README and a spec that was never run."""
    server = pair.server
    server.git("checkout", "-qb", "feature")
    server.record("exp5-2", output="six", bleu=18.0, interval=[17.6, 18.4], lines=4000)
    server.record("exp10-1", output="ten", **CHECKPOINTS)
    pair.write("experiments/more.yaml", "title: 100% more, later\n")
    server.commit("worse")
    return pair


def annotations(text):
    found = re.findall(r"^::(\w+) (?:file=([^,]*),line=(\d+),)?title=(\w+)::(.*)$", text, re.MULTILINE)
    return {(level, path, line, code) for level, path, line, code, _ in found}


def test_a_pull_request_gets_annotations_at_the_lines_that_are_wrong(pull_request):
    done = pull_request.job("--base", "main")
    assert done.returncode == 1
    found = annotations(done.stdout)
    assert {("error", "experiments/ledger.jsonl", "4", "GAT003"), ("error", "README.md", "3", "GAT005"),
            ("error", "experiments/more.yaml", "1", "GAT001")} <= found  # fmt: skip
    document = pull_request.job("--json", GITHUB_BASE_REF="main")
    assert json.loads(document.stdout)["base"]["name"] == "origin/main"
    assert annotations(document.stderr) == found


def test_outside_of_github_there_are_no_annotations(pull_request):
    done = pull_request.job("--base", "main", GITHUB_ACTIONS="")
    assert "::error" not in done.stdout + done.stderr


@pytest.fixture
def github():
    """The part of GitHub's API that comments use; it remembers requests and comments."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self, document, status=200):
            data = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self):
            page = int(re.search(r"&page=(\d+)", self.path)[1])
            self.answer(server.comments[(page - 1) * 100 : page * 100])

        def write(self):
            if self.headers["Authorization"] != "Bearer secret":
                return self.answer({"message": "forbidden"}, 403)
            text = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]
            server.requests.append((self.command, self.path))
            if self.command == "POST":
                server.comments.append({"id": len(server.comments) + 1, "body": text})
            else:
                server.comments[int(self.path.rpartition("/")[2]) - 1]["body"] = text
            return self.answer({"html_url": "https://example.org/mt/mt/pull/7"})

        do_POST = do_PATCH = write  # noqa: N815 (the names of the base class)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.requests, server.comments = [], [{"id": n + 1, "body": "a remark"} for n in range(100)]
    Thread(target=server.serve_forever, daemon=True).start()
    server.api = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()


EVENT = {"pull_request": {"number": 7}}


def test_one_comment_is_written_and_then_updated(pull_request, github):
    for _ in range(2):
        done = pull_request.job(
            "--base", "main", event=EVENT, GITHUB_API_URL=github.api, GITHUB_TOKEN="secret"
        )
        assert (done.returncode, "comment: https://example.org/mt/mt/pull/7" in done.stderr) == (1, True)
    assert github.requests == [
        ("POST", "/repos/mt/mt/issues/7/comments"),
        ("PATCH", "/repos/mt/mt/issues/comments/101"),
    ]
    text = github.comments[-1]["body"]
    assert text.startswith(f"{MARK}\n## ledger gate: fail")
    row = next(line for line in text.splitlines() if line.startswith("| exp5 | bleu"))
    assert row.split(" | ")[2:5] == ["20.00", "18.00", "-2.00 \\[-2.57, -1.43\\]"]
    assert row.split(" | ")[5] == "worse"
    assert "| exp10 | bleu (sample) | - | 20.00 | - | first score | 1 of 2 |" in text


def test_a_comment_that_is_refused_does_not_change_the_verdict(pull_request, github):
    done = pull_request.job("--base", "main", event=EVENT, GITHUB_API_URL=github.api, GITHUB_TOKEN="other")
    assert done.returncode == 1
    assert "the comment on pull request 7 was not written: HTTP Error 403" in done.stderr
    assert "pull-requests: write" in done.stderr


def test_without_a_token_the_text_is_in_the_summary_and_in_a_file(pull_request, github, tmp_path):
    summary, comment = tmp_path / "summary.md", tmp_path / "comment.md"
    pull_request.job(
        "--base", "main", "--comment", str(comment), event=EVENT, GITHUB_API_URL=github.api,
        GITHUB_STEP_SUMMARY=str(summary),
    )  # fmt: skip
    assert github.requests == []
    assert comment.read_text() == f"{MARK}\n{summary.read_text()}"


def test_a_long_comment_is_cut_where_github_would_refuse_it():
    finding = Finding("GAT001", Severity.ERROR, "x" * 2 * LONGEST)
    text = body(Gate(Base("0" * 40, "main"), (Checked("specs", "", Report((finding,))),)))
    assert len(text) == LONGEST
    assert text.endswith("summary of the job.\n")


def edit_journal(pair, old, new):
    journal = pair.server.workspace.journal
    journal.write_text(journal.read_text().replace(old, new))


def test_a_push_of_three_commits_with_a_bad_one_in_the_middle_fails(pair):
    before = pair.head
    pair.server.record("exp6-1", output="six")
    pair.server.commit("a result")
    sound = pair.server.workspace.journal.read_text()
    edit_journal(pair, '"bleu":{"interval":[19.6', '"bleu":{"interval":[10.6')
    pair.server.commit("tidy")
    middle = pair.head
    pair.server.workspace.journal.write_text(sound)
    pair.server.commit("restore")
    done = pair.push(before)
    assert done.returncode == 1
    assert f"commit {middle[:12]}" in " ".join(done.stdout.split())
    assert pair.push(pair.head).returncode == 0, "the next push answers for itself"


@pytest.mark.parametrize("bad", ["duplicate", "dropped", "claim", "spec"])
def test_what_a_middle_commit_breaks_for_good_fails_whatever_follows(pair, bad):
    before = pair.head
    pair.write("a.txt", "one")
    pair.server.commit("first")
    if bad == "duplicate":
        pair.server.record("exp6-1", output="five")
    elif bad == "dropped":
        pair.server.workspace.journal.write_text("")
    elif bad == "claim":
        pair.write("README.md", README.format("33.03"))
    else:
        pair.write("experiments/more.yaml", "title: more\n")
    pair.server.commit("second")
    pair.write("a.txt", "three")
    pair.server.commit("third")
    assert pair.push(before).returncode == 1


def test_a_good_push_passes_and_its_base_is_named(pair):
    before = pair.head
    for number in (1, 2, 3):
        pair.server.record(f"exp6-{number}", output=f"six {number}")
        pair.server.commit(f"result {number}")
    done = pair.push(before)
    assert (done.returncode, "before this push" in done.stdout) == (0, True), done.stdout


@pytest.mark.parametrize("before", ["0" * 40, "f" * 40])
def test_a_push_without_a_commit_before_it(pair, before):
    pair.write("a.txt", "one")
    pair.server.commit("first")
    done = pair.push(before)
    if before.startswith("0"):  # a new branch: the previous commit is compared
        assert done.returncode == 0
    else:
        assert (done.returncode, "replaced the history" in done.stderr) == (3, True)


def test_other_events_and_damaged_ones_leave_the_base_as_it_is(pair):
    for event in ({"ref": "refs/heads/feature", "before": "f" * 40, "after": pair.head}, {}):
        assert pair.job(event=event).returncode == 0
    assert run_ledger("gate", cwd=pair.root, variables={"GITHUB_EVENT_PATH": "missing"}).returncode == 0


CLAIMS = [
    ("BLEU <!-- ledger: exp5 bleu -->0.2<!-- /ledger -->.\n", "20.0"),
    ("<!-- ledger: exp5-1 bleu -->**33**<!-- /ledger -->\n", "**20**"),
    ("| a |\n|---|\n| <!-- ledger: exp5 lines -->1,000<!-- /ledger --> lines |\n", "4,000"),
    ("`<!-- ledger: exp5 bleu -->1<!-- /ledger -->` <!-- ledger: exp5 bleu -->1<!-- /ledger -->\n", "20"),
    ("> - about <!-- ledger: exp5 bleu -->1.00 points<!-- /ledger -->\r\n", "20.00 points"),
]


@pytest.mark.parametrize(("text", "number"), CLAIMS)
def test_fixed_claims_are_right_and_nothing_else_changes(pair, text, number):
    path = pair.server.workspace.root / "README.md"
    path.write_bytes(f"# 1\n\n```\n<!-- ledger: exp5 bleu -->1<!-- /ledger -->\n```\n\n{text}".encode())
    old = re.findall(r"ledger: \S+ \w+ -->(.*?)<!-- /ledger", text)[-1]
    expected = path.read_bytes().decode().replace(f"-->{old}<!--", f"-->{number}<!--")
    done = run_ledger("gate", "--fix-claims", cwd=pair.server.workspace.root)
    assert done.returncode == 0, done.stdout
    assert "README.md:" in done.stderr
    found = path.read_bytes().decode()
    for example in ("```\n<!-- ledger: exp5 bleu -->1<!-- /ledger -->", "`<!-- ledger: exp5 bleu -->1<"):
        if example in text or example.startswith("```"):
            assert example in found
    assert found.replace(f"-->{number}<!--", f"-->{old}<!--") == expected.replace(
        f"-->{number}<!--", f"-->{old}<!--"
    )


def test_a_claim_about_an_unknown_run_stays_and_fails(pair):
    pair.write("README.md", "<!-- ledger: exp9 bleu -->1<!-- /ledger -->\n")
    done = run_ledger("gate", "--fix-claims", cwd=pair.server.workspace.root)
    assert (done.returncode, "exp9" in done.stdout) == (1, True)


def test_the_workspace_may_be_a_folder_of_the_repository(tmp_path):
    top = Repository(tmp_path)
    (tmp_path / "mt" / "experiments").mkdir(parents=True)
    (tmp_path / "mt" / "README.md").write_text("<!-- ledger: exp9 bleu -->1<!-- /ledger -->\n")
    top.commit()
    (tmp_path / "mt" / ".ledger").mkdir()
    assert Workspace.find(tmp_path / "mt").root == tmp_path / "mt"
    done = run_ledger("gate", cwd=tmp_path / "mt", variables={"GITHUB_ACTIONS": "true"})
    assert ("error", "mt/README.md", "1", "GAT005") in annotations(done.stdout)
