"""Hard-links checkpoints out of the program's reach, so that its deletions do not affect verification."""

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

from runners.worker.layout import FOLDER

CHECKPOINT = re.compile(r"checkpoint-\d+")
NEAR = "_ledger"  # a name that the trainer's upload to a hub leaves out


class Snapshots:
    """Snapshots in the run's folder, or, where that is on another file system, next to the checkpoints."""

    def __init__(self, folder: Path, run: str | None) -> None:
        self._folder, self._run = folder, run or "run"

    def link(self, save: Path) -> Path | None:
        """A copy of the checkpoint that shares its files; None where there are no hard links.

        Checkpoints inside its folder are left out.
        """
        for root in (self._folder, save.parent / NEAR / self._run):
            place = _free(root, save)
            partial = place.with_name(f".{place.name}.partial")
            try:
                partial.parent.mkdir(parents=True, exist_ok=True)
                shutil.copytree(save, partial, copy_function=os.link, ignore=_others(save))
                return partial.rename(place)
            except OSError:
                shutil.rmtree(partial, ignore_errors=True)
                _remove_empty(partial.parent)
        return None

    def link_file(self, save: Path) -> Path | None:
        """A folder with the file's name that holds a hard link to it; None where there are no hard links."""
        for root in (self._folder, save.parent / NEAR / self._run):
            place = _free(root, save)
            try:
                place.mkdir(parents=True)
                os.link(save, place / save.name)
                return place
            except OSError:
                shutil.rmtree(place, ignore_errors=True)
                _remove_empty(place.parent)
        return None


def link_evidence(snapshot: Path, save: Path) -> None:
    """Link the evidence in a snapshot into its checkpoint, unless that was deleted meanwhile."""
    target = save / FOLDER
    with suppress(FileNotFoundError):
        for file in (snapshot / FOLDER).iterdir():
            (target / file.name).unlink(missing_ok=True)
            os.link(file, target / file.name)


def make_room(save: Path) -> None:
    """Create an empty folder for the evidence, without that of an earlier checkpoint in the same place.

    This is done at once, since it changes the folder's time, and the trainer deletes the oldest checkpoints.
    """
    shutil.rmtree(save / FOLDER, ignore_errors=True)
    (save / FOLDER).mkdir()


def _free(root: Path, save: Path) -> Path:
    """A free place; checkpoints of one folder share a parent unless two have the same name."""
    group = "-".join(save.parent.parts[-2:]).strip("/-") or "saves"
    number = 1
    while (place := root / f"{group}.{number}" / save.name).exists():
        number += 1
    return place


def _others(save: Path):  # type: ignore[no-untyped-def]
    """The `ignore` of `shutil.copytree`: what does not belong to the checkpoint."""

    def ignore(folder: str, names: list[str]) -> set[str]:
        if Path(folder) != save:
            return set()
        return {name for name in names if CHECKPOINT.fullmatch(name) or name in (NEAR, FOLDER)}

    return ignore


def _remove_empty(folder: Path) -> None:
    for one in (folder, folder.parent, folder.parent.parent):
        with suppress(OSError):
            one.rmdir()
