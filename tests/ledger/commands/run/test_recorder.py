"""What several runs write at once is in the journal once."""

from concurrent.futures import ThreadPoolExecutor

from ledger.commands.run.recorder import store_environment
from ledger.environments.environment import Environment
from ledger.evidence.environment import Installed
from ledger.journal.store import Journal


def environment(number):
    return Environment(f"sha256:{number}", {"n": number}, "sha256:m", {}, {}, Installed("3.11", {}))


def test_an_environment_is_stored_once_by_however_many_runs(tmp_path):
    def journal():
        return Journal(tmp_path / "ledger.jsonl", tmp_path / ".ledger", "main")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: store_environment(journal(), environment(number // 8)), range(48)))
    stored = [entry.body["digest"] for entry in journal().entries()]
    assert sorted(stored) == sorted(["sha256:m", *(f"sha256:{number}" for number in range(6))])
