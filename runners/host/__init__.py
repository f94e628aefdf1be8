"""The parent's side: jobs for a worker, and their results."""
