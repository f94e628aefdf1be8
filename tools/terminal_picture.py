"""Draw what `ledger verify` prints about a broken checkpoint: `python tools/terminal_picture.py [FILE]`.

Trains a tiny mBART whose output layer is not tied to its embeddings (see docs/tutorial.md), saves it with its
evidence, verifies it, and writes the real output as an SVG, by default to docs/images/broken-checkpoint.svg.
The font URLs that rich puts into an SVG are removed, so that the picture needs nothing from the network.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

from runners.rehearsal.text import pairs

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs/images/broken-checkpoint.svg"
WIDTH = 92
LINES = 32
STEP = 200
FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"


def main(arguments: list[str]) -> None:
    """Write the picture to the file that is named, or to its place in the documentation."""
    target = Path(arguments[0]) if arguments else PICTURE
    with tempfile.TemporaryDirectory() as name:
        make_checkpoint(Path(name))
        shown = verify(Path(name))
    target.write_text(draw(f"ledger verify checkpoint-{STEP}", shown), encoding="utf-8")
    print(target)


def make_checkpoint(folder: Path) -> None:
    """Save `folder`/checkpoint-200: sound in memory, broken once reloaded by transformers 4.57.6."""
    order = {
        "folder": str(folder),
        "family": "mbart50",
        "triples": pairs(LINES),
        "steps": [STEP],
        "seed": 0,
        "config": {"tie_word_embeddings": False},
        "tokenizer_saved": False,
    }
    command = [sys.executable, str(ROOT / "tools/tiny_checkpoints.py"), "save"]
    subprocess.run(command, input=json.dumps([order]), text=True, check=True, capture_output=True)


def verify(folder: Path) -> str:
    """What the command prints on a terminal of WIDTH columns, as text with ANSI codes."""
    command = [str(Path(sys.executable).with_name("ledger")), "verify", f"checkpoint-{STEP}"]
    terminal = {"FORCE_COLOR": "1", "TERM": "xterm-256color", "COLUMNS": str(WIDTH)}
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **terminal}, capture_output=True, text=True, check=False
    )
    if done.returncode != 1:
        sys.exit(f"expected findings (exit code 1), got {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def draw(command: str, shown: str) -> str:
    """The command and its output as a terminal window in SVG."""
    console = Console(
        record=True, width=WIDTH, file=StringIO(), force_terminal=True, color_system="truecolor"
    )
    console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
    console.print(Text.from_ansi(shown.rstrip()))
    svg = console.export_svg(title="a checkpoint that was sound in memory", unique_id="terminal")
    return FONT_FACE.sub("", svg).replace("Fira Code, monospace", FONTS).replace("Fira Code", FONTS)


if __name__ == "__main__":
    main(sys.argv[1:])
