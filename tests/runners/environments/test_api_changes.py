import pytest

from ledger.errors import LedgerError
from runners.environments.api_changes import Used, changes, site_packages, used_by

OLD = """
class Base:
    def save(self, folder, max_shard_size="5GB", safe=True): ...
    def unused(self, a): ...

class Model(Base):
    def __init__(self, config, *, use_cache=True): ...

class Old: ...

def load(name, revision=None): ...
"""
NEW = """
class Base:
    def save(self, folder, max_shard_size="50GB"): ...
    def unused(self): ...

class Model(Base):
    def __init__(self, config, *, use_cache=None): ...

def load(name): ...
"""
CODE = """
import lib
from lib import Model, Old

model = Model(config)
model.save("out", max_shard_size="1GB")
lib.load("x")
"""


@pytest.fixture
def compare(tmp_path):
    def compare(old, new, code=CODE):
        for side, text in (("old", old), ("new", new)):
            (tmp_path / side / "lib").mkdir(parents=True)
            (tmp_path / side / "lib" / "models.py").write_text(text)
        script = tmp_path / "train.py"
        script.write_text(code)
        used = used_by([script], {})
        found = changes("lib", tmp_path / "old", tmp_path / "new", used)
        return [(one.symbol, one.what, one.before, one.after) for one in found]

    return compare


def test_only_what_the_code_uses_is_told_bases_included(compare):
    assert compare(OLD, NEW) == [
        ("Base.save(max_shard_size)", "parameter default changed", "'5GB'", "'50GB'"),
        ("Base.save(safe)", "parameter removed", "True", ""),
        ("Model.__init__(use_cache)", "parameter default changed", "True", "None"),
        ("Old", "gone", "there", ""),
        ("load(revision)", "parameter removed", "None", ""),
    ]


def test_equal_versions_have_no_changes(compare):
    assert compare(OLD, OLD) == []


def test_names_that_no_parser_sees_are_given(tmp_path):
    script = tmp_path / "a.py"
    script.write_text("getattr(lib, name)(use_cache=1)")
    used = used_by([script], {"lib": ["Model"]}, ["fp16"])
    assert used.names["lib"] == {"Model"}
    assert {"use_cache", "fp16"} <= used.attributes


def test_a_package_that_one_side_does_not_have_is_no_change(tmp_path):
    assert list(changes("lib", tmp_path, tmp_path, Used({"lib": frozenset(("Model",))}))) == []


@pytest.mark.parametrize("content", [b"def f(:\n", b"\x00", b"\xff\xfe"])
def test_what_is_no_python_is_one_message(tmp_path, content):
    script = tmp_path / "a.py"
    script.write_bytes(content)
    with pytest.raises(LedgerError, match="cannot be read as Python"):
        used_by([script], {})


def test_a_package_that_cannot_be_parsed_is_one_message(compare):
    with pytest.raises(LedgerError, match="cannot be"):
        compare(OLD, NEW + "\ndef f(:\n")


def test_an_interpreter_without_packages_is_one_message(tmp_path):
    with pytest.raises(LedgerError, match="no environment with site-packages"):
        site_packages(tmp_path / "bin" / "python")
