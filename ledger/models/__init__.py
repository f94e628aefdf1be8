"""What can be known from the name of a model or a language."""
