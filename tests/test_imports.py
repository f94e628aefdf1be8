"""The import graph as a whole: what import-linter's contracts, which compare layers, cannot see."""

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

import grimp
import pytest

PACKAGES = ("ledger", "guards", "runners")


@pytest.fixture(scope="module")
def imports() -> Mapping[str, set[str]]:
    """The modules that each module imports, at the top or inside a function, but not for annotations only."""
    graph = grimp.build_graph(*PACKAGES, exclude_type_checking_imports=True, cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def test_no_modules_import_each_other(imports):
    """An import inside a function only hides a cycle: the two modules still cannot be understood apart."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail(f"import cycle: {' -> '.join(reversed(error.args[1]))}")


def test_a_late_import_counts(imports):
    """`ledger.cli.show` imports what it calls when it is called, so that `ledger --help` starts quickly."""
    assert "ledger.journal.runs" in imports["ledger.cli.show"]
