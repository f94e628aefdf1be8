"""Reading git: history, status, patches, worktrees."""
