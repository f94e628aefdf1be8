"""Guards on the files of a checkpoint, before anything is loaded."""
