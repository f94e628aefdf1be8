"""Terminal and Markdown rendering. Decides nothing."""
