"""Photograph the report for the documentation: `python tools/report_pictures.py [FOLDER]`.

Runs the tutorial's two rehearsals and two generations in a scratch repository, while a browser looks at
`ledger report --serve`, and writes to docs/images: the overview on a desktop and on a phone, the failing
checkpoint, a comparison, and the training while it runs. Takes some minutes, and needs Chromium.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.commands.report import ReportRequest
from ledger.commands.report_server import ReportServer
from ledger.journal.runs import find, load_runs
from ledger.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parent.parent
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 375, "height": 720}
UNTIED = """\
extends: exp10
title: The same, with a separate output layer
model:
  family: mbart50
  config: {share_encoder_decoder_embeddings: null, tie_word_embeddings: false}
codes: {source: ja_XX, target: ko_KR}
output: models/untied
"""
COMPARED = ("exp5", "exp9")
QUIET = ["--no-sandbox", "--disable-gpu"]


def main(arguments: list[str]) -> None:
    """Write the pictures to the folder that is named, or to the documentation's."""
    from playwright.sync_api import sync_playwright

    folder = Path(arguments[0]) if arguments else ROOT / "docs/images"
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        workspace = repository(Path(name) / "translation")
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        for experiment in COMPARED:
            rehearse(workspace, experiment).wait()
        with ReportServer(workspace, ReportRequest(pairs=(COMPARED,))) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            photograph(browser, server, workspace, folder)
            server.shutdown()


def repository(root: Path) -> Workspace:
    """A repository with the project's experiments and the tutorial's broken one, all committed."""
    root.mkdir()
    for folder in ("experiments", "lockfiles"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("*.jsonl"))
    (root / "experiments/untied.yaml").write_text(UNTIED, encoding="utf-8")
    identity = ["-c", "user.name=Ana", "-c", "user.email=ana@example.org"]
    for command in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "begin"]):
        subprocess.run(["git", *command], cwd=root, check=True)
    return Workspace(root)


def rehearse(workspace: Workspace, experiment: str) -> "subprocess.Popen[bytes]":
    """The rehearsal of an experiment, started; what is the same under another name is run all the same."""
    command = [sys.executable, "-m", "ledger", "run", experiment, "--rehearse", "--again"]
    return subprocess.Popen(command, cwd=workspace.root, env={**os.environ, "LEDGER_SEND": "never"})


def photograph(browser: "Browser", server: ReportServer, workspace: Workspace, folder: Path) -> None:
    """The training while it runs, then the report of everything."""
    page = opened(browser, server.address, DESKTOP)
    training = rehearse(workspace, "untied")
    page.locator("#live .verdict.fail").first.wait_for(timeout=300_000)
    page.wait_for_timeout(1500)  # the plot follows within a second
    page.screenshot(path=folder / "report-live.png")
    training.wait()
    broken = find(load_runs(workspace), "untied").id
    for name, size, place in (
        ("desktop", DESKTOP, ""),
        ("phone", PHONE, ""),
        ("checkpoint", DESKTOP, f"#run-{broken}"),
        ("comparison", DESKTOP, "#comparisons"),
    ):
        opened(browser, server.address + place, size).screenshot(path=folder / f"report-{name}.png")


def opened(browser: "Browser", address: str, size: dict[str, int]) -> "Page":
    """The page at that address in a window of that size."""
    page = browser.new_context(viewport={"width": size["width"], "height": size["height"]}).new_page()
    page.goto(address)
    page.wait_for_timeout(1000)
    return page


if __name__ == "__main__":
    main(sys.argv[1:])
