"""Rehearsals: a tiny real model of an experiment's family, and the real text that it overfits."""

from runners.rehearsal.model import Objective, OwnText, Rehearsal, prepare
from runners.rehearsal.text import Triple, pairs, rehearsal_text

__all__ = ["Objective", "OwnText", "Rehearsal", "Triple", "pairs", "prepare", "rehearsal_text"]
