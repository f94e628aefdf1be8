"""Save tiny models with one version of transformers, load them with another, verify each: `make matrix`.

Every configuration is trained and saved in each pinned environment, from scratch or from a checkpoint loaded
there, then verified in each by the flow of `ledger verify`. A plain comparison that knows nothing of the
guards is made as well: from_pretrained and generate in the loading environment, and the texts compared with
those that the model wrote in memory. The table goes to docs/matrix.md. Exits 1 where verdicts and texts
disagree, or a guard fired on anything that translates as it did.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ledger.commands.verify.values import VerificationContext, VerificationResult, VerifyRequest
from ledger.commands.verify.verify import prepare, verify_checkpoint
from ledger.display.progress import Progress, show_progress
from ledger.environments.lockfile import find
from ledger.errors import LedgerError
from ledger.evaluation.scoring import score
from ledger.findings import Finding, Severity, Verdict
from runners.environments.build import default_cache, ensure
from runners.host.worker_process import Worker
from runners.rehearsal.text import pairs

ROOT = Path(__file__).resolve().parents[1]
MAKER = ROOT / "tools" / "tiny_checkpoints.py"
PAGE = ROOT / "docs" / "matrix.md"
BEGIN, END = "<!-- the table: make matrix -->\n", "<!-- the end of the table -->\n"
ENVIRONMENTS = ("mt-4.57.6", "mt-5.0.0", "mt-5-latest")
LINES = 32
STEPS = 200  # by which every configuration has learned the lines
PRETRAINED = 60
SEED = 10
SAME = 1.0  # share of lines that are the same as in memory
SHARE, TIE = "share_encoder_decoder_embeddings", "tie_word_embeddings"


@dataclass(frozen=True)
class Model:
    """One row: a configuration of a family."""

    name: str
    family: str
    config: dict[str, bool]
    pretrained: int = 0  # steps after which it is saved, loaded, and fine-tuned

    @property
    def folder(self) -> str:
        """Its name, as a folder's."""
        return self.name.replace(" ", "-").replace("=", "-")


MODELS = (
    *(
        Model(f"Marian share={share} tie={tie}", "marian", {SHARE: share == "T", TIE: tie == "T"})
        for share, tie in ("TT", "FF", "FT", "TF")
    ),
    Model("MBart tie=T", "mbart50", {TIE: True}),
    Model("MBart tie=F", "mbart50", {TIE: False}),
    Model("Marian fine-tuned", "marian", {SHARE: True, TIE: True}, PRETRAINED),
    Model("MBart fine-tuned", "mbart50", {TIE: True}, PRETRAINED),
)


@dataclass
class Cell:
    """One model, saved by one environment and loaded by another. `texts` are the plain comparison's."""

    model: Model
    saved_by: str
    loaded_by: str
    verified: VerificationResult
    texts: list[str] = field(default_factory=list)

    @property
    def same(self) -> float:
        """The share of lines that are the same as the model wrote in memory, by the plain comparison."""
        sample = self.verified.result.expected.sample
        memory = sample.output if sample else ()
        return sum(a == b for a, b in zip(memory, self.texts, strict=True)) / len(memory)

    @property
    def bleu(self) -> float:
        """BLEU of the plain comparison's texts, against the lines that were learned."""
        return score(self.texts, [row.ja for row in pairs(LINES)], "ja").bleu.value

    @property
    def passed(self) -> bool:
        """Whether the verification passed."""
        return self.verified.report.verdict is Verdict.PASS

    @property
    def agrees(self) -> bool:
        """Whether verdict and texts say the same."""
        return self.passed == (self.same >= SAME)


def main() -> int:
    """Make the matrix; the exit code says whether guards and texts agree everywhere."""
    options = _options()
    began = time.monotonic()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        with _place(options.keep) as folder, show_progress("cells") as on_progress:
            pythons = {
                name: ensure(find(name, ROOT / "lockfiles"), default_cache(), on_progress)
                for name in options.environments
            }
            built = time.monotonic() - began
            cells = make_cells(folder, pythons, on_progress)
            page = render(cells, built, time.monotonic() - began - built)
    except LedgerError as error:
        print(f"matrix: {error}", file=sys.stderr)
        return 3
    print(page)
    if not options.dry_run:
        write(page)
    return 0 if all(cell.agrees for cell in cells) else 1


def make_cells(folder: Path, pythons: dict[str, Path], on_progress: Any) -> list[Cell]:
    """Save everything in each environment, then load everything in each."""
    for done, (name, python) in enumerate(pythons.items()):
        on_progress(Progress(f"saving by {name}", done, len(pythons)))
        _maker(python, "save", [_order(model, folder / name) for model in MODELS])
    cells = []
    for done, (name, python) in enumerate(pythons.items()):
        on_progress(Progress(f"loading by {name}", done, len(pythons)))
        cells += _load(folder, name, python, list(pythons))
    return cells


def _load(folder: Path, loader: str, python: Path, savers: list[str]) -> list[Cell]:
    """The cells of one loading environment: one worker for all, one process for the plain comparison."""
    setting = prepare(None, VerifyRequest((folder,), python))
    with Worker(python, folder / f"{loader}.log") as worker:
        cells = [
            Cell(model, saver, loader, _verify(worker, setting, folder / saver / model.folder))
            for model in MODELS
            for saver in savers
        ]
    sources = [row.ko for row in pairs(LINES)]
    orders = [
        {"folder": str(cell.verified.checkpoint), "family": cell.model.family, "source": sources}
        for cell in cells
    ]
    for cell, texts in zip(cells, json.loads(_maker(python, "translate", orders)), strict=True):
        cell.texts = texts
    return cells


def _verify(worker: Worker, setting: VerificationContext, folder: Path) -> VerificationResult:
    return verify_checkpoint(worker, setting, folder / f"checkpoint-{STEPS}")


@contextmanager
def _place(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
    elif keep.exists():
        raise LedgerError(f"{keep} exists already", hint="name a folder that does not exist")
    else:
        yield keep.absolute()


def _order(model: Model, folder: Path) -> dict[str, Any]:
    return {
        "folder": str(folder / model.folder),
        "family": model.family,
        "triples": pairs(LINES),
        "steps": [STEPS],
        "seed": SEED,
        "config": model.config,
        "pretrained": model.pretrained,
        # A tokenizer that 5.x saves cannot be read by 4.57.6, which is a cell of its own: here all have the
        # SentencePiece files that published models come with.
        "tokenizer_saved": False,
    }


def _maker(python: Path, what: str, orders: list[dict[str, Any]]) -> str:
    command = [str(python), "-P", "-X", "utf8", str(MAKER), what]
    done = subprocess.run(command, input=json.dumps(orders), capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:]
        raise LedgerError(f"{python} could not {what}: {' '.join(said)}", hint="run it again with --dry-run")
    return done.stdout


# --- the page


def render(cells: list[Cell], built: float, seconds: float) -> str:
    """The table, a line for each cell that fails, and how it was computed."""
    versions = {cell.loaded_by: _version(cell) for cell in cells}
    rows = ["| model | saved by | " + " | ".join(f"loaded by {v}" for v in versions.values()) + " |"]
    rows.append("|---|---|" + "---|" * len(versions))
    for model in MODELS:
        for saver, version in versions.items():
            found = [cell for cell in cells if cell.model is model and cell.saved_by == saver]
            rows.append(f"| {model.name} | {version} | " + " | ".join(map(_cell, found)) + " |")
    failing = [line for cell in cells if not cell.passed for line in _cause(cell, versions)]
    agreeing, passing = sum(cell.agrees for cell in cells), sum(cell.passed for cell in cells)
    counts = Counter(
        f"{one.code} ({one.severity.label})" for cell in cells if cell.passed for one in _told(cell)
    )
    return "\n".join(
        [
            *rows,
            "",
            f"{len(cells)} cells, {len(cells) - passing} fail. Verdict and plain comparison "
            f"agree in {agreeing}. Those that pass have these findings: {_listed(counts)}.",
            "",
            "## Findings in the failing cells",
            "",
            *failing,
            "",
            f"Measured in {seconds:.0f} s, plus {built:.0f} s to build the environments that were missing.",
            "",
        ]
    )


def _cell(cell: Cell) -> str:
    codes = " ".join(sorted(code for code in cell.verified.report.failing if code.startswith("CKP")))
    verdict = "pass" if cell.passed else f"**FAIL** {codes}"
    return f"{verdict}; {cell.same:.0%} same, BLEU {cell.bleu:.1f}"


def _cause(cell: Cell, versions: dict[str, str]) -> list[str]:
    """The findings that name the cause, which are those on tensors; all errors where there are none."""
    errors = [one for one in cell.verified.report.findings if one.severity is Severity.ERROR]
    named = [one for one in errors if one.code in {"CKP003", "CKP005"}] or errors
    where = f"{cell.model.name}, saved by {versions[cell.saved_by]}, loaded by {versions[cell.loaded_by]}"
    return [f"- {where}:", *(f"  - {one.code}: {one.message}" for one in named)]


def _told(cell: Cell) -> list[Finding]:
    return [one for one in cell.verified.report.findings if one.code.startswith("CKP")]


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{code} {count} times" for code, count in sorted(counts.items())) or "no finding"


def _version(cell: Cell) -> str:
    return str(cell.verified.result.actual.origin.versions["transformers"])


def write(table: str) -> None:
    """Put the table into the page, between its two marks."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Save by one version, load by another, verify.")
    parser.add_argument("--dry-run", action="store_true", help="print the table and leave the page alone")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="save the checkpoints there, and keep them"
    )
    parser.add_argument("--environments", nargs="+", default=ENVIRONMENTS, metavar="NAME")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
