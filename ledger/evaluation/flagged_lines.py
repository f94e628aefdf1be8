"""Files of flagged lines, and of the lines that are left without them: from a dirty output to a clean one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from ledger.findings import Json
from ledger.outputs import write_output


@dataclass(frozen=True, slots=True)
class Kept:
    """What `write_kept` wrote: the files, and how many lines were kept and dropped, by code."""

    files: tuple[str, ...]
    kept: int
    dropped: int
    by_code: Mapping[str, int]

    def to_json(self) -> dict[str, Json]:
        """The counts as `--json` shows them."""
        return {
            "files": list(self.files),
            "kept": self.kept,
            "dropped": self.dropped,
            "by_code": dict(self.by_code),
        }


def write_flagged(
    path: Path, lines: Mapping[str, Sequence[int]], output: Sequence[str], source: Sequence[str] | None
) -> None:
    """Write the flagged lines as JSONL: number (from 1), codes, source (null without one) and output.

    `lines` are the indices by guard code. Raises LedgerError if the file cannot be written.
    """
    codes: dict[int, list[str]] = {}
    for code in sorted(lines):
        for index in lines[code]:
            codes.setdefault(index, []).append(code)
    rows = (
        orjson.dumps(
            {
                "line": index + 1,
                "codes": codes[index],
                "source": None if source is None else source[index],
                "output": output[index],
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )
        for index in sorted(codes)
    )
    write_output(path, b"".join(rows))


def kept_files(prefix: Path) -> tuple[Path, Path]:
    """The files of the kept source and the kept output."""
    return prefix.with_name(f"{prefix.name}.source"), prefix.with_name(f"{prefix.name}.output")


def write_kept(
    prefix: Path,
    lines: Mapping[str, Sequence[int]],
    output: Sequence[str],
    source: Sequence[str] | None,
    codes: Collection[str],
) -> Kept:
    """Write PREFIX.output, and PREFIX.source if there is a source, without the lines that `codes` flagged.

    Raises LedgerError if a file cannot be written.
    """
    chosen = {code: lines[code] for code in sorted(codes) if code in lines}
    dropped = set().union(*chosen.values())
    files = []
    for path, text in zip(kept_files(prefix), (source, output), strict=True):
        if text is not None:
            kept = (line for index, line in enumerate(text) if index not in dropped)
            write_output(path, "".join(f"{line}\n" for line in kept).encode())
            files.append(str(path))
    return Kept(
        tuple(files), len(output) - len(dropped), len(dropped), {code: len(chosen[code]) for code in chosen}
    )
