"""Whatever stands in the record, in file names or in other people's logs: no command shows it as it is."""

import json
import os
import re
import subprocess
from html.parser import HTMLParser

import orjson
import pytest
from markdown_it import MarkdownIt

from ledger.journal.store import Journal
from ledger.utils.escape import ascii_controls, code, escaped, printable
from tests.ledger.cli.conftest import V1

PAYLOADS = [
    "\x1b]52;c;cHduZWQ=\x07", "\x1b]0;title\x07", "\x1b[2J\x1b[H", "\x1b[31mred", "\x1b[8mhidden",
    "\x1bP+q544e\x1b\\", "\x1b[6n", "\x1b[5i", "\x1b]8;;javascript:alert(1)\x07link\x1b]8;;\x07",
    "\x1b[?1049h", "\x1bc", "\x1b[21t", "\x1b]1337;File=:x\x07", "\x9b2J", "\x9d52;c;eA==\x9c", "\x90x\x9c",
    "\x85", "\x7f\x08\x08", "\rforged", "\x0b\x0c", "\x00", "\x07", "\u202egnp.exe", "\u2066x\u2069",
    "\u200b", "\u2028forged", "\u2029", "\ufeff", "\u200f", "\U000e0041", "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>", "<!-- x", "</style><script>x</script>", "<?php",
    "[x](javascript:alert(1))", "![x](https://evil.example/p.png)", "<javascript:alert(1)>",
    "[x]: javascript:x", "`<script>`", "``` \n<script>", "| forged | row |", "\n# forged", "\n\n<b>x</b>",
    "\\<script>", "**x**", "_x_", "~~x~~", "&lt;script&gt;&#x6a;", "[[x]]", "[^1]", "{{ 7*7 }}",
    "{% raw %}", "${7*7}", '\'"><script>', "%1b]52", "\\x1b]52", "$(id)", "`id`", "[red]x[/red]", "[/]",
]  # fmt: skip
PAYLOAD = " ".join(PAYLOADS)
FREE = {
    "text",
    "who",
    "why",
    "message",
    "title",
    "error",
    "reason",
    "source",
    "output",
    "outcome",
    "signature",
}
CALLS = [
    *(line.split() for line in (
        "log --all", "show exp5", "ps", "fsck", "compare exp5 exp9", "diff-env exp5 exp9",
        "export exp5 --format markdown", "export exp5 --format model-card", "export exp5 --format docker",
        "report --markdown", "gate --base HEAD", "check text --lang ja", "import log.md", "verify checkpoint",
    )),
    ["note", "exp5", PAYLOAD.replace("\0", "")], ["explain", PAYLOAD.replace("\0", "")],
    ["show", PAYLOAD.replace("\0", "")], [PAYLOAD.replace("\0", "")],
]  # fmt: skip
# Everything but line feeds, and the colours that a terminal would get.
CONTROL = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\U000e0041]"
)


def poisoned(value, key=""):
    if isinstance(value, dict):
        return {name: poisoned(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [poisoned(one, key) for one in value]
    return value + PAYLOAD if isinstance(value, str) and key in FREE else value


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A repository whose record, author, branch, files and tensors are named by somebody hostile."""
    root = tmp_path_factory.mktemp("hostile")
    (root / "experiments").mkdir()
    journal = Journal(root / "experiments/ledger.jsonl", root / ".ledger")
    for line in V1.read_bytes().splitlines():
        entry = orjson.loads(line)
        journal.append(entry["kind"], poisoned(entry["body"]))
    (root / "text").write_text(f"はい。\n{PAYLOAD.replace(chr(10), '')}\n")
    (root / "log.md").write_text(f"## Experiment 1 {PAYLOAD}\n- BLEU: 27.4\n- model: {PAYLOAD}\n")
    checkpoint = root / "checkpoint"
    checkpoint.mkdir()
    (checkpoint / "config.json").write_text(json.dumps({"model_type": PAYLOAD, "architectures": [PAYLOAD]}))
    header = json.dumps({PAYLOAD: {"dtype": PAYLOAD, "shape": [1], "data_offsets": [0, 400]}}).encode()
    (checkpoint / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + b"1234")
    (checkpoint / "tokenizer_\x1b]52;c;x\x07.json").write_text("{")
    for command in (
        ["init", "-q", "-b", "main"],
        ["config", "user.name", "Ana \x1b]52;c;x\x07<script>"],
        ["config", "user.email", "a@b"],
        ["add", "--all"],
        ["commit", "-qm", "x"],
    ):
        subprocess.run(["git", *command], cwd=root, check=True)
    return root


@pytest.fixture
def inside(hostile, monkeypatch):
    monkeypatch.chdir(hostile)
    monkeypatch.setenv("COLUMNS", "90")
    return hostile


@pytest.mark.parametrize(
    "call", CALLS, ids=lambda call: " ".join(call)[:30].encode("ascii", "replace").decode()
)
def test_no_command_prints_what_a_terminal_obeys(inside, ledger, call):
    for option in ([], ["--json"]) if call[0] != "verify" else ([],):  # it inspects an environment, too
        answer = ledger(*call, *option)
        assert answer.code in (0, 1, 2, 3), answer.err
        assert answer.out or answer.err
        for text in (answer.out, answer.err):
            assert not CONTROL.search(text), CONTROL.search(text)


@pytest.mark.parametrize("call", [["report", "--markdown"], ["compare", "exp5", "exp9", "--markdown"],
                                  ["export", "exp5", "--format", "markdown"]])  # fmt: skip
def test_markdown_holds_no_tag_and_no_link(inside, ledger, call):
    tokens = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(ledger(*call).out)
    flat = [token for one in tokens for token in (one, *(one.children or ()))]
    assert not [token for token in flat if token.type.startswith(("html", "link", "image"))]
    assert not [token for token in flat if token.type == "heading_open" and "forged" in str(token)]


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_the_page_has_no_script_but_its_own_and_no_foreign_address(inside, ledger):
    assert ledger("report", "--out", "page.html").code == 0
    text = (inside / "page.html").read_text()
    parser = Tags()
    parser.feed(text)
    assert [tag for tag, _ in parser.found].count("script") == 1
    assert not any(name.startswith("on") for _, attrs in parser.found for name in attrs)
    links = [attrs.get("href", "") for _, attrs in parser.found if "href" in attrs]
    assert all(link.startswith(("#", "https://")) for link in links)
    assert not [attrs for tag, attrs in parser.found if tag == "img"]
    assert not CONTROL.search(text)


def test_a_dockerfile_keeps_its_lines(inside, ledger):
    text = ledger("export", "exp5", "--format", "docker").out
    known = ("#", "FROM", "RUN", "ENV", "ARG", "WORKDIR", "COPY", "CMD", "ledger:", "")
    assert all(line.startswith(known) for line in text.splitlines())


@pytest.mark.parametrize("payload", PAYLOADS)
def test_each_payload_alone(payload):
    assert not CONTROL.search(printable(payload))
    assert not CONTROL.search(ascii_controls(orjson.dumps(payload).decode()))
    assert orjson.loads(ascii_controls(orjson.dumps(payload).decode())) == payload
    for text in (f"- a {escaped(payload)}", code(payload), f"{escaped('x ' + payload)}"):
        flat = [one for token in MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(text)
                for one in (token, *(token.children or ()))]  # fmt: skip
        assert not [
            one for one in flat if one.type.startswith(("html", "link", "image", "heading", "fence", "em"))
        ]


def test_a_terminal_of_another_encoding_gets_escapes_and_no_traceback(repository):
    for encoding in ("ascii", "latin-1", "cp932"):
        repository.variables.update(PYTHONIOENCODING=encoding, PYTHONUTF8="0")
        done = repository.process("explain", "TXT001")
        assert done.returncode == 0
        assert done.stdout
    assert os.environ.get("PYTHONIOENCODING") is None
