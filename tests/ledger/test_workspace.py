import pytest

from ledger.errors import UsageError
from ledger.workspace import Workspace


@pytest.mark.parametrize("beside", [".git/", ".ledger/", "experiments/ledger.jsonl"])
def test_the_nearest_ledger_above_is_found(tmp_path, beside):
    """With its journal alone, too: as it is below the top of a fresh clone."""
    (tmp_path / "experiments").mkdir()
    (tmp_path / ".git").mkdir()
    root = tmp_path / "translation"
    (root / "experiments" / "base").mkdir(parents=True)
    (root / beside).mkdir() if beside.endswith("/") else (root / beside).touch()
    assert Workspace.find(root / "experiments" / "base").root == root


def test_a_folder_called_experiments_is_no_ledger(tmp_path):
    (tmp_path / "experiments").mkdir()
    with pytest.raises(UsageError, match="no ledger at or above"):
        Workspace.find(tmp_path)
