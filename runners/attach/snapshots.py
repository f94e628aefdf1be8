"""Linking a save out of the program's reach, so that nothing that it deletes meanwhile is missed."""

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

CHECKPOINT = re.compile(r"checkpoint-\d+")
NEAR = "_ledger"  # a name that the trainer's upload to a hub leaves out
OURS = "ledger"  # the folder in a checkpoint that holds its evidence


class Snapshots:
    """Places for links: the run's folder, or, where that is on another file system, a folder by the saves."""

    def __init__(self, folder: Path, run: str | None) -> None:
        self._folder, self._run = folder, run or "run"

    def link(self, save: Path) -> Path | None:
        """A copy of the save that shares its files, under its own name; None where there are no hard links.

        Checkpoints inside a save are others' saves, and left out.
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
        """A folder under the file's name that holds a link to it; None where there are no hard links."""
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
    """Give the save the evidence that was written into its snapshot; the save may be deleted by now."""
    target = save / OURS
    with suppress(FileNotFoundError):
        for file in (snapshot / OURS).iterdir():
            (target / file.name).unlink(missing_ok=True)
            os.link(file, target / file.name)


def make_room(save: Path) -> None:
    """An empty place for the evidence: a folder that is written anew keeps nothing of what was in it before.

    Made at once, for the trainer deletes saves in the order of their folders' times, which this changes.
    """
    shutil.rmtree(save / OURS, ignore_errors=True)
    (save / OURS).mkdir()


def _free(root: Path, save: Path) -> Path:
    """Saves of one folder stand side by side; a second one of the same name in a place of its own."""
    group = "-".join(save.parent.parts[-2:]).strip("/-") or "saves"
    number = 1
    while (place := root / f"{group}.{number}" / save.name).exists():
        number += 1
    return place


def _others(save: Path):  # type: ignore[no-untyped-def]
    """What is no part of the save, as `shutil.copytree` asks for it."""

    def ignore(folder: str, names: list[str]) -> set[str]:
        if Path(folder) != save:
            return set()
        return {name for name in names if CHECKPOINT.fullmatch(name) or name in (NEAR, OURS)}

    return ignore


def _remove_empty(folder: Path) -> None:
    for one in (folder, folder.parent, folder.parent.parent):
        with suppress(OSError):
            one.rmdir()
