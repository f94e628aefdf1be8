import inspect as python_inspect
import pkgutil
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import get_type_hints

import pytest

import guards
from guards.catalogue import pages, write
from guards.guard import Explanation, inspect
from guards.registry import SCORES, by_code, families, find
from ledger.evidence import Evidence, Unobserved
from ledger.evidence.scores import ScoreLimits, Scores

FAMILIES = families()
ALL = [guard for members in FAMILIES.values() for guard in members]
ROOT = Path(__file__).parents[2]
each_guard = pytest.mark.parametrize("guard", ALL, ids=lambda guard: guard.CODE)


def test_codes_are_unique():
    assert len(by_code()) == len(ALL)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_in_the_order_of_its_codes(family):
    codes = [guard.CODE for guard in FAMILIES[family]]
    assert codes == sorted(codes)
    assert len({code[:3] for code in codes}) == 1


@each_guard
def test_a_guard_is_found_by_its_code(guard):
    assert find(guard.CODE) is guard


@pytest.mark.parametrize("code", ["", "TXT", "TXT999", "XYZ001"])
def test_no_other_code_is_found(code):
    assert find(code) is None


def test_a_family_is_imported_alone():
    program = "import sys; from guards import registry; registry.SCORES; print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert "guards.scores" in shown.split()
    assert "guards.checkpoint" not in shown.split()


def test_every_guard_module_is_registered():
    names = [module.name for module in pkgutil.walk_packages(guards.__path__, "guards.")]
    modules = [import_module(name) for name in names]
    written = {module.__name__ for module in modules if hasattr(module, "CODE")}
    assert written == {guard.__name__ for guard in ALL}


@each_guard
def test_a_guard_has_the_shape_of_one(guard):
    assert re.fullmatch(r"[A-Z]{3}\d{3}", guard.CODE)
    expected, actual, _ = get_type_hints(guard.inspect).values()
    assert (expected, actual) == guard.READS
    assert guard.READS[1].NAME
    assert guard.READS[1].MISSING
    assert guard.__doc__.startswith(guard.CODE)
    assert len(python_inspect.signature(guard.inspect).parameters) == 2


@each_guard
def test_a_guard_explains_itself(guard):
    assert isinstance(guard.EXPLANATION, Explanation)
    assert 5 <= len(guard.TITLE) <= 70
    assert not guard.TITLE.endswith(".")
    for text in (guard.EXPLANATION.means, guard.EXPLANATION.matters, guard.EXPLANATION.do):
        assert text.strip() == text
        assert text.endswith(".")


@each_guard
def test_unobserved_evidence_is_skipped_with_its_reason(guard):
    expected, actual = (Evidence().including(kind, Unobserved("too dark")) for kind in guard.READS)
    report = inspect([guard], expected, actual)
    assert [(skip.code, skip.reason) for skip in report.skips] == [(guard.CODE, "too dark")]
    assert report.passed == ()


@each_guard
def test_evidence_that_was_not_collected_is_skipped_with_the_reason_of_its_type(guard):
    (skip,) = inspect([guard], Evidence(), Evidence()).skips
    assert (skip.code, skip.reason, skip.required) == (guard.CODE, guard.READS[1].MISSING, False)


def test_a_reason_that_was_given_comes_before_the_one_of_the_kind():
    actual = Evidence().including(Scores, Unobserved("too dark"))
    assert [skip.reason for skip in inspect(SCORES, Evidence(), actual).skips] == ["too dark"] * len(SCORES)


def test_a_reason_that_spoils_the_verdict_comes_first():
    expected = Evidence().including(ScoreLimits, Unobserved("no limits"))
    actual = Evidence().including(Scores, Unobserved("too dark", required=True))
    assert {skip.reason for skip in inspect(SCORES, expected, actual).skips} == {"too dark"}


def test_the_documentation_is_up_to_date():
    docs = ROOT / "docs"
    there = {"guards.md", *(str(path.relative_to(docs)) for path in docs.glob("guards/*"))}
    written = {path: (docs / path).read_text(encoding="utf-8") for path in there}
    assert written == pages(), "write them again: python -m guards.catalogue"


def test_the_page_of_a_removed_guard_is_removed(tmp_path):
    (tmp_path / "guards").mkdir()
    (tmp_path / "guards/OLD001.md").touch()
    write(tmp_path)
    assert {path.stem for path in tmp_path.glob("guards/*")} == set(by_code())


def test_guards_load_nothing_heavy():
    program = "import sys, guards.registry; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert not {"torch", "transformers", "mlflow", "sacrebleu", "numpy", "pydantic", "git"} & set(
        shown.split()
    )
