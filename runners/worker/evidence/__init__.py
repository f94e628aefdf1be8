"""Evidence of a checkpoint: collected at a save, and again after a reload."""
