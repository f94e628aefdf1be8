"""Terminal and Markdown output. What is shown is decided elsewhere."""
