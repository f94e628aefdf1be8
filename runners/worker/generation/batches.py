"""What becomes of a batch that fails: halves where memory is short, else its lines one by one."""

import gc
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from runners.worker.error_messages import is_lasting, is_out_of_memory
from runners.worker.models.translator import Translation
from runners.worker.protocol import log

Translate = Callable[[Sequence[int]], list[Translation]]


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """The lines of a batch, None for one that failed; the sizes it ran in; whether memory halved it."""

    lines: list[Translation | None]
    sizes: list[int]
    halved: bool = False


def translate_batch(
    translate: Translate, lines: Sequence[int], notice: Callable[[str], None]
) -> BatchOutcome:
    """Translate lines together; where memory is short in halves, after any other failure one by one.

    Raises whatever would fail the next lines too (no space, a dead device).
    """
    try:
        return BatchOutcome(list(translate(lines)), [len(lines)])
    except Exception as error:
        if is_lasting(error):
            raise
        short = is_out_of_memory(error)
        _log(error, lines)
    if len(lines) == 1:
        return BatchOutcome([None], [1])
    if short:
        _free_memory()
        half = (len(lines) + 1) // 2
        notice(f"out of memory with {len(lines)} lines at once: trying {half}")
        parts = [translate_batch(translate, part, notice) for part in (lines[:half], lines[half:])]
    else:
        notice(f"a batch of {len(lines)} lines failed: trying them one by one")
        parts = [translate_batch(translate, [line], notice) for line in lines]
    done = [line for part in parts for line in part.lines]
    return BatchOutcome(done, [size for part in parts for size in part.sizes], halved=short)


def _free_memory() -> None:
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def _log(error: Exception, lines: Sequence[int]) -> None:
    """One line a failure: a run may have many."""
    numbers = ", ".join(str(line + 1) for line in lines)
    message = " ".join(str(error).split())
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{place.filename}:{place.lineno}"
    log(f"lines {numbers} failed: {type(error).__name__}: {message} ({where})")
