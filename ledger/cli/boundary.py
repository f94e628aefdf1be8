"""Turns exceptions into a message on standard error and an exit code."""

import errno
import os
import sys
from collections.abc import Sequence
from io import StringIO, TextIOWrapper
from pathlib import Path

import click

from ledger.cli.output import echo
from ledger.errors import Exit, LedgerError

NO_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP}
NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def run_command(command: click.Command, arguments: Sequence[str]) -> int:
    """Run `command` and return the contract's exit code; an error is reported once, on standard error."""
    for stream in (sys.stdout, sys.stderr):  # a terminal of any encoding: Japanese on an ASCII one is escaped
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        result = command.main(list(arguments), prog_name="ledger", standalone_mode=False)
        sys.stdout.flush()
        return int(result) if isinstance(result, int) else Exit.PASSED
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        _say("interrupted")
        return Exit.INTERRUPTED
    except click.ClickException as error:
        error.show(shown := StringIO())
        echo(shown.getvalue().rstrip("\n"), err=True)
        return Exit.USAGE
    except LedgerError as error:
        _say(str(error))
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output is gone (`ledger log | head`): not an error, but stdout cannot be used.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.PASSED
    except OSError as error:
        return _os_error(error)
    except ModuleNotFoundError as error:
        return _missing_package(error)
    except Exception as error:
        return _bug(error)


def _os_error(error: OSError) -> int:
    where = f": {error.filename}" if error.filename else ""
    if error.errno in NO_SPACE:
        hint = "free some space, then repeat the command (a run: with --resume)"
        _say(f"no space left to write{where}\n  {hint}")
    elif error.errno in NO_LOCKS:
        hint = "put the repository on a local disk, or mount its file system with locks"
        _say(
            f"the file system of {error.filename or Path.cwd()} cannot lock files: {error.strerror}\n  {hint}"
        )
    elif error.errno == errno.EROFS:
        _say(f"{error.strerror}{where}\n  mount it for writing, or work in a copy that can be written to")
    else:
        _say(f"{error.strerror or error}{where}")
    return Exit.NOT_DONE


def _missing_package(error: ModuleNotFoundError) -> int:
    from ledger.utils.extras import EXTRA_OF, missing

    package = (error.name or "").partition(".")[0]
    if package not in EXTRA_OF:
        return _bug(error)
    _say(str(missing(package)))
    return Exit.NOT_DONE


def _bug(error: Exception) -> int:
    import tempfile
    import traceback

    from ledger.utils.redaction import scrub_text

    text = scrub_text("".join(traceback.format_exception(error)))
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="ledger-bug-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(text)
        details = f"the traceback is in {Path(file.name)}; please attach it to your bug report"
    except OSError:
        details = text
    _say(f"a bug in ledger: {type(error).__name__}: {error}\n  {details}")
    return Exit.BUG


def _say(message: str) -> None:
    from ledger.utils.redaction import scrub_text

    echo(f"ledger: {scrub_text(message)}", err=True)
