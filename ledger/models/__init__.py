"""What the name of a model or a language tells."""
