"""What a command does, step by step: it may use guards and runners, which never import each other."""
