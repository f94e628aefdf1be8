"""A git repository for tests of the gate: its journal has entries that no run had to make."""

import subprocess

from ledger.commands.gate.gate import run_gate
from ledger.journal.store import open_journal
from ledger.workspace import Workspace

LOST = {"code": "CKP003", "severity": "error", "message": "lm_head.weight is missing"}


class Silent:
    def say(self, text):
        pass


class Repository:
    """A repository whose journal has made-up runs."""

    def __init__(self, root):
        (root / "experiments").mkdir()
        self.workspace = Workspace(root)
        self.git("init", "-q", "-b", "main")
        (root / ".gitignore").write_text("/.ledger/\n")
        self.commit("begin")

    def git(self, *arguments):
        identity = ["-c", "user.name=Minji", "-c", "user.email=minji@example.org"]
        subprocess.run(["git", *identity, *arguments], cwd=self.workspace.root, check=True)

    def commit(self, message="x"):
        self.git("add", "--all")
        self.git("commit", "-qm", message)

    def record(self, run, output="a", bleu=20.0, findings=(), interval=None, lines=None, **facts):
        journal = open_journal(self.workspace, "real")
        head = {"run": run, "experiment": run.partition("-")[0], "mode": "real"}
        journal.append("run.started", {**head, "inputs": run, "spec": {}, "spec_digest": run, "data": {},
                                       "environment": "sha256:own"})  # fmt: skip
        report = {"findings": list(findings), "skips": [], "passed": []}
        metric = {"value": bleu, "signature": "BLEU|tok:ja-mecab", "scale": [0, 100], "interval": interval}
        end = {"status": "finished", "report": report, "verdict": "fail" if findings else "pass"}
        files = {
            "output": {"path": "out.ja", "md5": output, "sha256": output, "lines": lines},
            "metrics": {"bleu": metric},
        }
        journal.append("run.finished", {**head, **end, **files, **facts})

    def verify(self, run, *findings, checkpoint="models/checkpoint-10", environment="sha256:own"):
        report = {"findings": list(findings), "skips": [], "passed": [] if findings else [LOST["code"]]}
        body = {"run": run, "checkpoint": checkpoint, "environment": environment, "report": report}
        verdict = "fail" if findings else "pass"
        open_journal(self.workspace, "real").append("checkpoint.verified", {**body, "verdict": verdict})

    def accept(self, run, code):
        body = {"run": run, "experiment": run.partition("-")[0], "code": code, "why": "x", "who": "Minji"}
        open_journal(self.workspace, "real").append("acceptance", body)

    def gate(self):
        done = run_gate(self.workspace, "main", Silent(), rehearse=False)
        return [(f.code, f.severity.label, f.message) for f in done.report.findings if f.accepted is None], [
            (skip.code, skip.reason) for skip in done.report.skips
        ]

    def found(self):
        return [(code, severity) for code, severity, _ in self.gate()[0]]
