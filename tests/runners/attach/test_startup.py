"""What a Python process of a recorded command is before and after we came: nothing else may have changed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runners.host.attachment import STARTUP

SEEN = """
import json, sys
import sitecustomize as former
print(json.dumps({"path": sys.path, "former": getattr(former, "MINE", None), "loaded": sorted(sys.modules)}))
"""


def start(folder, code, *options, path=(), **variables):
    """The process, ended, with its events."""
    named = os.pathsep.join([str(STARTUP), *map(str, path)])
    environment = {**os.environ, "LEDGER_ATTACH": str(folder), "PYTHONPATH": named, **variables}
    done = subprocess.run(
        [sys.executable, *options, "-c", code],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    events = folder / "events.jsonl"
    return done.stdout, [
        json.loads(line) for line in events.read_text().splitlines()
    ] if events.exists() else []


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_the_users_own_sitecustomize_still_runs_and_the_path_is_as_it_was(tmp_path):
    write(tmp_path / "mine" / "sitecustomize.py", "MINE = 7\n")
    out, events = start(tmp_path, SEEN, path=[tmp_path / "mine"])
    seen = json.loads(out)
    assert seen["former"] == 7
    assert str(STARTUP) not in seen["path"]
    assert str(tmp_path / "mine") in seen["path"]
    assert events == []


def test_a_process_without_a_trainer_loads_nothing_of_ours(tmp_path):
    write(tmp_path / "mine" / "sitecustomize.py", "")
    seen = json.loads(start(tmp_path, SEEN, path=[tmp_path / "mine"])[0])
    code = SEEN.replace("import sitecustomize as former", "former = 0")
    plain = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    more = set(seen["loaded"]) - set(json.loads(plain.stdout)["loaded"])
    assert not {name for name in more if name.startswith(("runners", "ledger", "_ledger"))}
    assert more <= {"sitecustomize", "atexit"}  # atexit is built in


def fake_transformers(folder, trainer):
    """A package whose trainer module is all that there is; importing it is what sets us going."""
    write(folder / "transformers" / "__init__.py", "")
    write(folder / "transformers" / "trainer.py", trainer)


def test_a_library_that_is_not_what_we_know_does_no_harm(tmp_path):
    fake_transformers(tmp_path / "mine", "VALUE = 3\n")
    out, events = start(
        tmp_path, "import transformers.trainer as t; print(t.VALUE)", path=[tmp_path / "mine"]
    )
    assert out == "3\n"
    assert events == []
    assert "Traceback" in (tmp_path / "attach.log").read_text()


def test_a_program_with_a_package_of_our_name_is_left_alone(tmp_path):
    fake_transformers(tmp_path / "mine", "VALUE = 3\n")
    write(tmp_path / "mine" / "runners" / "__init__.py", "OWN = 5\n")
    code = "import transformers.trainer; import runners; print(runners.OWN)"
    out, events = start(tmp_path, code, path=[tmp_path / "mine"])
    assert out == "5\n"
    assert "its own package `runners`" in events[0]["reason"]


def test_the_modules_loader_is_as_it_was(tmp_path):
    fake_transformers(tmp_path / "mine", "VALUE = 3\n")
    code = "import inspect, transformers.trainer as t; print(vars(t.__loader__).keys(), inspect.getsource(t))"
    out, _ = start(tmp_path, code, path=[tmp_path / "mine"])
    assert "exec_module" not in out
    assert "VALUE = 3" in out


@pytest.mark.parametrize("option", ["-I", "-E", "-S"])
def test_a_python_that_does_not_hear_of_us_runs_as_ever(tmp_path, option):
    out, events = start(tmp_path, "print(1)", option)
    assert (out, events) == ("1\n", [])


def test_a_failure_while_it_is_loaded_is_the_librarys_own(tmp_path):
    fake_transformers(tmp_path / "mine", "raise ValueError('theirs')\n")
    code = """
try:
    import transformers.trainer
except ValueError as error:
    print(error)
"""
    assert start(tmp_path, code, path=[tmp_path / "mine"]) == ("theirs\n", [])


@pytest.fixture(autouse=True)
def run_folder(tmp_path: Path) -> None:
    (tmp_path / "attach.json").write_text("{}")
