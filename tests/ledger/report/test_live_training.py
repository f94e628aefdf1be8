"""A real rehearsal, watched by a browser while it trains: a checkpoint that fails is seen at once."""

import threading
import time
from datetime import UTC, datetime

from ledger.commands.report import ReportRequest
from ledger.commands.report_server import ReportServer
from ledger.environments.diff.from_journal import VERIFIED
from ledger.journal.runs import find, load_record
from ledger.workspace import Workspace

# Saved by transformers 4.57.6 without two of its matrices: sound in memory, broken once reloaded.
UNTIED = """\
extends: exp10
model:
  family: mbart50
  config: {share_encoder_decoder_embeddings: null, tie_word_embeddings: false}
codes: {source: ja_XX, target: ko_KR}
output: models/untied
"""
LATEST = 5.0  # seconds from the verdict to the page


def test_the_page_shows_a_failing_save_within_five_seconds_of_its_verdict(repository, browser):
    (repository.root / "experiments/untied.yaml").write_text(UNTIED)
    workspace = Workspace(repository.root)
    with ReportServer(workspace, ReportRequest()) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        page = browser.new_context().new_page()
        page.goto(server.address)
        with repository.start("run", "untied", "--rehearse") as run:
            card = page.locator("#live article")
            card.get_by_text("CKP003").first.wait_for(timeout=240_000)
            seen = time.time()
            assert "failed" in card.inner_text()
            run.communicate(timeout=240)
        server.shutdown()
        page.context.close()
    assert run.returncode == 1
    runs, entries = load_record(workspace)
    verdict = next(entry for entry in entries if entry.kind == VERIFIED)
    judged = datetime.fromisoformat(verdict.time).astimezone(UTC).timestamp()
    assert seen - judged < LATEST
    assert not (workspace.runs / find(runs, "untied").id / "live.json").exists()
