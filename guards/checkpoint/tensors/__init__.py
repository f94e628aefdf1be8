"""Guards on the tensors of a checkpoint, after a reload."""
