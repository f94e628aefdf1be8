"""Guards on where a checkpoint comes from and on the scores claimed for it."""
