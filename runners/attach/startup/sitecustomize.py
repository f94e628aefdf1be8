"""Imported by every Python of `ledger run -- CMD` before its program: waits for a library with a trainer.

It hides itself (sys.path, and the `sitecustomize` that was there before), and does nothing more until one of
LIBRARIES is imported. Standard library alone, and little of it: every Python process of the command pays.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # typing itself is not loaded yet
if TYPE_CHECKING:
    from typing import Any

FOLDER = "LEDGER_ATTACH"  # the run's folder
LIBRARIES = {
    "accelerate.accelerator": "accelerate",
    "transformers.modeling_utils": "models",
    "transformers.trainer": "huggingface",
    "lightning.pytorch.trainer.trainer": "lightning",
    "pytorch_lightning.trainer.trainer": "lightning",
}
READS = "reads"  # the file in it with the paths that were read, each ended by NUL
MOST_READS = 10_000  # of one process
HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib is not loaded yet


class Waiter:
    """A finder that delegates to the others, and attaches to each of LIBRARIES after its import."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """The spec of one of LIBRARIES; None for any other module."""
        if name not in LIBRARIES:
            return None
        spec = find_elsewhere(self, name, path, target)
        if spec is not None and hasattr(spec.loader, "exec_module"):
            attach_after(spec.loader, LIBRARIES[name])
        return spec


def find_elsewhere(finder: Any, name: str, path: Any, target: Any) -> Any:
    """The spec that another finder gives."""
    for other in list(sys.meta_path):
        if other is not finder and hasattr(other, "find_spec"):
            spec = other.find_spec(name, path, target)
            if spec is not None:
                return spec
    return None


def attach_after(loader: Any, attachment: str) -> None:
    """Attach once this loader has executed its module; the loader is restored then."""
    execute = loader.exec_module

    def exec_module(module: Any) -> None:
        del loader.exec_module
        execute(module)
        attach(attachment, module)

    loader.exec_module = exec_module


def attach(attachment: str, module: Any) -> None:
    """Call `runners.attach`. Errors are logged, and the program continues unattached."""
    try:
        if "runners.worker.__main__" in sys.modules:
            return  # a worker of the ledger, which records evidence itself
        from importlib.util import module_from_spec, spec_from_file_location

        entry = os.path.join(os.path.dirname(HERE), "entry.py")  # noqa: PTH118, PTH120
        spec = spec_from_file_location("_ledger_entry", entry)
        loaded = module_from_spec(spec)  # type: ignore[arg-type]
        spec.loader.exec_module(loaded)  # type: ignore[union-attr]
        loaded.attach(attachment, module, os.environ[FOLDER])
    except Exception:
        log_failure()


def note_reads() -> None:
    """Note the files that this process opens to read; at its end, append them to the run's folder."""
    import atexit

    seen: dict[str, None] = {}
    writing = os.O_WRONLY | os.O_RDWR

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str) and not (arguments[2] or 0) & writing:
            path = arguments[0]
            if not path.startswith((sys.prefix, sys.base_prefix)) and len(seen) < MOST_READS:
                seen[path if path.startswith("/") else os.getcwd() + "/" + path] = None  # noqa: PTH109

    def write() -> None:
        try:
            with open(os.path.join(os.environ[FOLDER], READS), "a", encoding="utf-8") as reads:  # noqa: PTH118, PTH123
                reads.writelines(path + "\0" for path in list(seen))
        except Exception:
            pass

    sys.addaudithook(note)
    atexit.register(write)


def log_failure() -> None:
    """Write the traceback to the run's folder, where possible."""
    import traceback

    try:
        with open(os.path.join(os.environ[FOLDER], "attach.log"), "a", encoding="utf-8") as log:  # noqa: PTH118, PTH123
            traceback.print_exc(file=log)
    except Exception:
        pass


def run_original() -> None:
    """Run the `sitecustomize` that would have been imported otherwise; its errors are not caught."""
    spec = find_elsewhere(None, "sitecustomize", None, None)
    if spec is None or spec.loader is None:
        return
    from importlib.util import module_from_spec

    module = module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


sys.path[:] = [path for path in sys.path if path != HERE]
if os.environ.get(FOLDER):
    sys.meta_path.insert(0, Waiter())
    note_reads()
run_original()
