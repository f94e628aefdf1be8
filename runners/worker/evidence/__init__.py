"""Evidence of a checkpoint: collected when it is saved, and again after a reload."""
