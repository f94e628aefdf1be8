"""The parent's side: jobs for a worker, and what comes back."""
