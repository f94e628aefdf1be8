"""The options of a reload that `verify` and `run` have in common: the lines to translate."""

from pathlib import Path

from ledger.errors import LedgerError, UsageError
from ledger.utils.textfiles import read_lines
from runners.host.verification import ReloadOptions


def reload_options(
    source: Path | None,
    reference: Path | None,
    language: str | None,
    *,
    full: bool = False,
    device: str = "cpu",
) -> ReloadOptions:
    """The lines to translate, read from their files. Raises UsageError for options that do not go together,
    LedgerError for files that do not."""
    if reference and not source:
        raise UsageError("--reference needs its source text", hint="give --source FILE")
    if reference and not language:
        hint = "say which language the reference is in, such as --lang ja"
        raise UsageError("a score needs the language: BLEU means little without its tokenizer", hint=hint)
    lines, answers = (tuple(read_lines(path)) if path else () for path in (source, reference))
    if reference and len(lines) != len(answers):
        raise LedgerError(
            f"the source has {len(lines):,} lines and the reference {len(answers):,}",
            hint="line n of the reference must translate line n of the source",
        )
    return ReloadOptions(lines, answers, language, full=full, device=device)
