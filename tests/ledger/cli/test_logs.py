"""What `ledger -v` shows on standard error, and what stays hidden without it."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import logging, warnings
from ledger.cli.logs import configure_logging

configure_logging({verbose})
warnings.warn("a library's warning", stacklevel=1)
log = logging.getLogger("ledger.test")
log.debug("details")
log.info("sent https://ana:secret-word@host/x")
logging.getLogger("library").warning("a library's record")
"""


def shown(verbose: int) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    program = PROGRAM.format(verbose=verbose)
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment
    )
    assert done.stdout == ""
    return done.stderr


def test_records_and_warnings_of_libraries_are_hidden_by_default() -> None:
    assert shown(0) == ""


@pytest.mark.parametrize(("verbose", "debug"), [(1, False), (2, True)])
def test_verbose_shows_records_and_warnings_without_secrets(verbose: int, debug: bool) -> None:
    text = shown(verbose)
    assert "INFO ledger.test: sent https://host/x" in text
    assert "secret-word" not in text
    assert "a library's warning" in text
    assert "WARNING library: a library's record" in text
    assert ("DEBUG ledger.test: details" in text) is debug


def test_the_option_stands_before_the_command(ledger) -> None:
    assert ledger("-v", "explain", "TXT001").code == 0
