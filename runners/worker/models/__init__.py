"""Model families: loading, languages, resolved configuration."""
